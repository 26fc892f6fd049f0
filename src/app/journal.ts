import { type AnyEnvelope, type Topic, topics } from "../contracts/events.ts";
import type { Edge } from "../contracts/lifecycle.ts";
import type { Bus } from "../oona/mod.ts";

/** Where events end up besides the display. */
export interface Log {
  record(event: AnyEnvelope): void;
}

/** Carries every event of a run to its log and its display, in order, and remembers the edges. */
export class Journal {
  readonly edges: Edge[] = [];
  readonly #failed = new AbortController();

  constructor(bus: Bus, log: Log | null, display: (event: AnyEnvelope) => void) {
    for (const topic of Object.keys(topics) as Topic[]) {
      bus.subscribe(topic, (event) => {
        if (event.topic === "seed.edge") this.edges.push(event.payload as Edge);
        try {
          if (!this.#failed.signal.aborted) log?.record(event as AnyEnvelope);
        } catch (error) {
          this.#failed.abort(error);
        }
        display(event as AnyEnvelope);
      }, { name: "journal", retries: 0 });
    }
  }

  /** Aborted with the error when the log can take no more: the run must end. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }
}

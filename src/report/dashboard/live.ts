/** A run as it is watched: its story, the picture of it, and what has changed. */
import { gzipSync } from "node:zlib";
import { openRun } from "../../app/adapters/export_files.ts";
import { readKernels } from "../../app/adapters/run_view.ts";
import { inspectNetwork, type RunNetwork } from "../../app/inspect.ts";
import type { SupervisorState } from "../../app/supervisor.ts";
import type { AnyEnvelope } from "../../contracts/events.ts";
import { spaced } from "../event_lines.ts";
import { formatDuration, formatNumber, formatPercent } from "../format.ts";
import { sectionsHtml } from "../page.ts";
import { type RunPicture, type RunRecord, runSections } from "../run_page.ts";
import { newStory, type Story, tell } from "../story.ts";

/** Drawing takes at most this share of the time of one thread. */
const DRAWING_SHARE = 0.01;
const LEAST_MS = 1000;

/** What every watcher is told: numbers of the moment, and which picture is the newest. */
export interface Status {
  readonly line: string;
  /** What happened to a seed last, or the last rollback; empty where nothing has. */
  readonly news: string;
  readonly ended: boolean;
  readonly supervisor: SupervisorState | null;
  readonly picture: number;
}

/** The newest picture, as HTML and gzipped. */
export interface Drawn {
  readonly version: number;
  readonly html: string;
  readonly gzipped: Uint8Array<ArrayBuffer>;
}

/** `tick 14: layer1/1 mlp is TRAINING now (compiled)`. */
function newsOf({ edges, rollbacks }: Story): string {
  const edge = edges.at(-1), rollback = rollbacks.at(-1);
  if (rollback && rollback.step >= (edge?.step ?? 0)) {
    return `tick ${rollback.tick}: rolled back to step ${rollback.restoredStep}: ${rollback.reason}`;
  }
  return edge
    ? `tick ${edge.tick}: ${edge.seed} ${edge.blueprint ?? ""} is ${edge.to} now (${spaced(edge.reason)})`
    : "";
}

export class LiveRun {
  story = newStory();
  #supervisor: SupervisorState | null = null;
  #directory: string | null;
  #view: Pick<RunPicture, "name" | "config" | "record" | "kernels"> | null = null;
  #network: { readonly checkpoint: string | undefined; readonly network: RunNetwork } | null = null;
  #drawn: Drawn = { version: 0, html: "", gzipped: new Uint8Array() };
  #stale = true;
  #nextMs = 0;

  /** `directory` is the run's folder; null where it is not there yet. */
  constructor(directory: string | null) {
    this.#directory = directory;
  }

  /** Takes events in; `anew` forgets those before. */
  take(events: readonly AnyEnvelope[], anew = false): void {
    if (anew) this.story = newStory();
    for (const event of events) tell(this.story, event);
    this.#stale = true;
  }

  supervise(state: SupervisorState): void {
    this.#supervisor = state;
  }

  open(directory: string): void {
    this.#directory = directory;
    this.#stale = true;
  }

  get name(): string {
    return this.#view?.name ?? this.story.started?.run ?? "a run that has not begun";
  }

  get status(): Status {
    const { started, finished, metrics } = this.story;
    const last = metrics.at(-1);
    const seconds = started && last ? (last.time - started.time) / 1000 : 0;
    const supervisor = this.#supervisor;
    const parts = [
      finished
        ? finished.reason
        : supervisor?.holding
        ? `holding at tick ${supervisor.tick}`
        : last
        ? "running"
        : "compiling",
      ...last === undefined || started === null ? [] : [
        `step ${last.step} (${formatPercent(Math.min(1, last.flops / started.budgetFlops))} of the budget)`,
        `loss ${Number(last.loss).toFixed(3)}`,
        `accuracy ${formatPercent(Number(last.accuracy))}`,
        `${formatNumber(Math.round(Number(last.imagesPerSecond)))} examples/s`,
        formatDuration(seconds),
      ],
    ];
    return {
      line: parts.join(" · "),
      news: newsOf(this.story),
      ended: finished !== null,
      supervisor,
      picture: this.#drawn.version,
    };
  }

  /** The picture, drawn anew where something has changed and there was a rest since the last; `now` at any rate. */
  async draw(now = false): Promise<Drawn> {
    const began = performance.now();
    if (!this.#stale || !now && began < this.#nextMs) return this.#drawn;
    this.#stale = false;
    const html = sectionsHtml(runSections(await this.#picture()));
    this.#drawn = {
      version: this.#drawn.version + 1,
      html,
      gzipped: new Uint8Array(gzipSync(html, { level: 4 })),
    };
    const ended = performance.now();
    this.#nextMs = ended + Math.max(LEAST_MS, (ended - began) / DRAWING_SHARE);
    return this.#drawn;
  }

  async #picture(): Promise<RunPicture> {
    const shown = this.#look() ?? { name: this.name, config: {}, record: {}, kernels: null };
    // A profile is written at the end.
    const kernels = this.#directory !== null && this.story.finished ? readKernels(this.#directory) : null;
    return { ...shown, kernels, story: this.story, baseline: null, network: await this.#inspect() };
  }

  /** What the folder says besides events; null while it is not all there. */
  #look() {
    if (this.#view !== null || this.#directory === null || this.story.started === null) return this.#view;
    try {
      const { name, config, record } = openRun(this.#directory);
      return this.#view = { name, config, record: record as RunRecord, kernels: null };
    } catch {
      return null;
    }
  }

  /** The network of the newest checkpoint; what is built stays until there is a newer one. */
  async #inspect(): Promise<RunNetwork | null> {
    const checkpoint = this.story.checkpoints.at(-1)?.name;
    if (this.#directory === null || this.#view === null) return null;
    if (this.#network?.checkpoint === checkpoint && this.#network) return this.#network.network;
    try {
      const network = await inspectNetwork(openRun(this.#directory));
      this.#network = { checkpoint, network };
      return network;
    } catch {
      // It may be being written; the next picture tries again.
      return this.#network?.network ?? null;
    }
  }
}

import { type Envelope, topics } from "../contracts/events.ts";
import { sleep } from "./delivery.ts";

/** A server that will never take another message of this publisher, whatever is tried. */
export class Refusal extends Error {}

export interface OutboxOptions {
  /** Hands messages over, in order. Rejects where the server may not have taken all of them; they come again then. */
  send(batch: readonly Envelope[]): Promise<void>;
  /** Called when the server goes away, with the reason, and with null when it is back. */
  onAway(reason: string | null): void;
  /** Telemetry that may wait; the oldest is dropped. Control messages wait for as long as it takes. */
  capacity: number;
  backoffMs: number;
  maxBackoffMs: number;
}

/** Messages on their way to a server that may be slow, or gone. Who puts something in never waits. */
export interface Outbox {
  push(envelope: Envelope): void;
  /** What the server has not confirmed, oldest first. */
  waiting(): Envelope[];
  /** Why nothing gets through now; null where nothing is known to be wrong. */
  readonly away: string | null;
  readonly dropped: number;
  /** Tries at once what waits for its next try. */
  retry(): void;
  /** Resolves when nothing waits, or the server is away, or after `ms` milliseconds. */
  flushed(ms: number): Promise<void>;
  /** Sends nothing more. */
  close(): Promise<void>;
}

/** Messages a batch. */
const BATCH = 256;

/** Sends what is pushed, batch by batch, until the server has confirmed it. */
export function createOutbox(options: OutboxOptions): Outbox {
  const { capacity, backoffMs, maxBackoffMs } = options;
  const queue: Envelope[] = [];
  let batch: Envelope[] = [];
  let telemetry = 0, dropped = 0;
  let away: string | null = null;
  let refused = false;
  let working: Promise<void> | null = null;
  const end = new AbortController();
  let pause = new AbortController();
  const settled = new Set<() => void>();

  const isTelemetry = ({ topic }: Envelope) => topics[topic] === "telemetry";
  const settle = () => {
    for (const resolve of settled) resolve();
    settled.clear();
  };

  function setAway(reason: string | null): void {
    const changed = (away === null) !== (reason === null);
    away = reason;
    if (reason !== null) settle();
    if (changed) options.onAway(reason);
  }

  /** Resolves to whether the batch is with the server. */
  async function persist(): Promise<boolean> {
    for (let wait = backoffMs; !end.signal.aborted; wait = Math.min(2 * wait, maxBackoffMs)) {
      try {
        await options.send(batch);
        setAway(null);
        return true;
      } catch (error) {
        refused = error instanceof Refusal;
        setAway((error as Error).message);
        if (refused) return false;
      }
      pause = new AbortController();
      await sleep(wait, AbortSignal.any([end.signal, pause.signal]));
    }
    return false;
  }

  async function work(): Promise<void> {
    await null; // what one caller publishes in a row goes together
    while (queue.length > 0 && !end.signal.aborted && !refused) {
      batch = queue.splice(0, BATCH);
      telemetry -= batch.filter(isTelemetry).length;
      if (await persist()) batch = [];
    }
    working = null;
    settle();
  }

  return {
    push(envelope) {
      if (isTelemetry(envelope)) {
        if (refused) {
          dropped++;
          return;
        }
        if (telemetry >= capacity) {
          queue.splice(queue.findIndex(isTelemetry), 1);
          dropped++;
        } else telemetry++;
      }
      queue.push(envelope);
      if (!refused && !end.signal.aborted) working ??= work();
    },
    waiting: () => [...batch, ...queue],
    get away() {
      return away;
    },
    get dropped() {
      return dropped;
    },
    retry: () => pause.abort(),
    async flushed(ms) {
      if (working === null || away !== null) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      settled.add(resolve);
      const timer = setTimeout(resolve, ms);
      await promise;
      clearTimeout(timer);
      settled.delete(resolve);
    },
    async close() {
      end.abort();
      await working;
    },
  };
}

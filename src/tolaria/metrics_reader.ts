import type { MetricsRing } from "../engine/compile/metrics_ring.ts";

/** Rows that were written but not looked at: on their way at the last reading, and written since. */
export interface Unread {
  readonly waiting: readonly (readonly number[])[];
  readonly later: readonly (readonly number[])[];
}

export const NOTHING_UNREAD: Unread = { waiting: [], later: [] };

const toFloats = (rows: Unread["waiting"]) => rows.map((row) => Float32Array.from(row));
const toNumbers = (rows: readonly Float32Array[]) => rows.map((row) => [...row]);

/**
 * Brings rows of training steps to the host one reading late, so that no step waits for them. Which rows a reading
 * returns depends on the steps taken alone, also across a save and a restore.
 */
export class MetricsReader {
  readonly #ring: MetricsRing;
  #waiting: Promise<Float32Array[]> = Promise.resolve([]);
  #later: Float32Array[] = [];

  constructor(ring: MetricsRing) {
    this.#ring = ring;
  }

  /** The rows that the last call asked for; asks for those written since. */
  async next(): Promise<Float32Array[]> {
    const rows = await this.#waiting;
    const later = this.#later;
    this.#later = [];
    const arriving = this.#ring.drain();
    this.#waiting = later.length > 0 ? arriving.then((newer) => [...later, ...newer]) : arriving;
    // A lost device is met by whoever waits for the rows, which may be steps later.
    this.#waiting.catch(() => {});
    return rows;
  }

  /** All that is unread, as plain data; it stays unread. */
  async save(): Promise<Unread> {
    const waiting = await this.#waiting;
    this.#later = [...this.#later, ...await this.#ring.drain()];
    return { waiting: toNumbers(waiting), later: toNumbers(this.#later) };
  }

  restore({ waiting, later }: Unread): void {
    this.#waiting = Promise.resolve(toFloats(waiting));
    this.#later = toFloats(later);
  }

  /** Forgets all that is unread. */
  async discard(): Promise<void> {
    await this.#waiting;
    await this.#ring.drain();
    this.restore(NOTHING_UNREAD);
  }

  /** Resolves when nothing is on its way. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#waiting]);
  }
}

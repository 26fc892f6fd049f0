/** A fleet as those see it who look after it. */
import type { WorkerCard } from "../../contracts/fleet.ts";
import type { JobFailure, Queue, Tally } from "../../fleet/mod.ts";

export interface FleetStatus {
  readonly workers: readonly WorkerCard[];
  /** Jobs by the place that they are for. */
  readonly places: Readonly<Record<string, Tally>>;
  /** What nobody could do, newest first, at most a hundred. */
  readonly dead: readonly { readonly name: string; readonly error: JobFailure }[];
}

async function withQueue<T>(url: string, use: (queue: Queue) => Promise<T>): Promise<T> {
  const { openPgBossQueue } = await import("../../fleet/adapters/pg_boss_queue.ts");
  const queue = await openPgBossQueue(url);
  try {
    return await use(queue);
  } finally {
    await queue.close();
  }
}

/** @throws {UserError} where the database does not answer. */
export function fleetStatus(url: string): Promise<FleetStatus> {
  return withQueue(url, async (queue) => {
    const [workers, places, dead] = [await queue.workers(), await queue.tally(), await queue.deadLetters()];
    return { workers, places, dead };
  });
}

/** Cancels all that has not ended; workers stop at their next sign of life. Returns how many jobs. */
export function cancelFleet(url: string): Promise<number> {
  return withQueue(url, async (queue) => {
    let cancelled = 0;
    for (const place of Object.keys(await queue.tally())) cancelled += await queue.cancel(place);
    return cancelled;
  });
}

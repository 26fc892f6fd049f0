/** Work in the background of an event loop on which others, a training loop first, must never wait for long. */

/** Milliseconds after which background work lets others have a turn. */
const SLICE_MS = 2;

let last: Promise<void> = Promise.resolve();

/** A turn of the event loop for this caller alone: of all that wait for one, only one goes on between two turns of others. */
export function ownTurn(): Promise<void> {
  last = last.then(() => new Promise((resolve) => setTimeout(resolve)));
  return last;
}

/** Runs work that pauses by `yield` to its end at once. */
export function atOnce<T>(work: Iterator<void, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Runs such work in slices of about 2 ms, each in a turn of its own; so long as it pauses that often. */
export async function inTurns<T>(work: Iterator<void, T>): Promise<T> {
  for (;;) {
    await ownTurn();
    const end = performance.now() + SLICE_MS;
    do {
      const { done, value } = work.next();
      if (done) return value;
    } while (performance.now() < end);
  }
}

import { wait } from "../util/wait.ts";

/** Waits between tries, in milliseconds: from the first, doubled up to the longest, for so long in all. */
const FIRST_MS = 100, LONGEST_MS = 5000, PATIENCE_MS = 600_000;

/**
 * Asks again, ever more seldom, while it rejects: a server that is away for minutes comes back.
 *
 * @throws {unknown} the last error, after ten minutes or once the signal is aborted.
 */
export async function patiently<T>(
  ask: () => Promise<T>,
  onTrouble: (error: string) => void,
  signal?: AbortSignal,
): Promise<T> {
  let told = false;
  for (let pause = FIRST_MS, waited = 0;; pause = Math.min(2 * pause, LONGEST_MS)) {
    try {
      return await ask();
    } catch (error) {
      if (waited >= PATIENCE_MS || signal?.aborted) throw error;
      if (!told) onTrouble(error instanceof Error ? error.message || error.name : String(error));
      told = true;
      await wait(pause, signal);
      waited += pause;
    }
  }
}

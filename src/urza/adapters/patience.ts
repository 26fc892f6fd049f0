import { UnavailableError, UserError } from "../../util/errors.ts";

/** What a failure was, and what a person can do about it. */
export interface Fault {
  readonly got: string;
  readonly cure: string;
  /** Whether it may pass by itself. */
  readonly passing: boolean;
}

/** Runs work until it succeeds, a failure will not pass, or patience is at its end. */
export type Patiently = <T>(
  want: string,
  work: () => Promise<T>,
  explain: (error: unknown) => Fault | null,
) => Promise<T>;

const FIRST_PAUSE_MS = 50, LONGEST_PAUSE_MS = 3000;
/** Share of its patience that is left for a server that was given up before and has not answered since. */
const LEFT_WHILE_DOWN = 0.1;

/**
 * Tries again with longer and longer pauses, for `patienceMs` in all. What `explain` has no words for is passed on as it
 * came; work must bear to be done twice.
 *
 * @throws {UnavailableError} where patience has ended
 */
export function createPatience(patienceMs: number): Patiently {
  let down = false;
  return async (want, work, explain) => {
    const end = performance.now() + (down ? LEFT_WHILE_DOWN : 1) * patienceMs;
    for (let pause = FIRST_PAUSE_MS;; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        const result = await work();
        down = false;
        return result;
      } catch (error) {
        const fault = explain(error);
        if (fault === null) throw error;
        const message = `urza: want ${want}, got ${fault.got}; ${fault.cure}`;
        if (!fault.passing) throw new UserError(message);
        if (performance.now() + pause > end) {
          down = true;
          throw new UnavailableError(message);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random() / 2)));
    }
  };
}

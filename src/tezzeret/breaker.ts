/** Keeps work away from what fails all the time. */
export interface Breaker {
  /**
   * Does the work, unless it has failed too often in a row and not yet rested. After the rest one piece of work is let
   * through: it decides.
   *
   * @throws {BreakerError} without doing the work; what `work` throws.
   */
  run<T>(work: () => Promise<T>): Promise<T>;
}

export interface BreakerOptions {
  /** Failures in a row that are too many. Default 5. */
  readonly failures?: number;
  /** How long nothing is tried after that. Default 30 000. */
  readonly restMs?: number;
  /** Whether an error says that the tool is broken, not the piece of work. Default: each does. */
  readonly counts?: (error: unknown) => boolean;
  /** Milliseconds; default `performance.now`. */
  readonly now?: () => number;
}

/** Work that was not done, as what does it has failed too often. */
export class BreakerError extends Error {
  override readonly name = "BreakerError";
}

/** A breaker that is closed. `what` names the work in errors. */
export function createBreaker(what: string, options: BreakerOptions = {}): Breaker {
  const { failures = 5, restMs = 30_000, counts = () => true, now = () => performance.now() } = options;
  let inARow = 0, restsUntil = 0, last = "";
  let probing = false;
  return {
    async run(work) {
      const left = restsUntil - now();
      if (inARow >= failures && (left > 0 || probing)) {
        throw new BreakerError(
          `${what}: want a device and a store that work, got ${inARow} failures in a row, the last one: ${last}; ` +
            `see to that, it is tried again in ${Math.ceil(Math.max(0, left) / 1000)} s`,
        );
      }
      const probe = inARow >= failures;
      if (probe) probing = true;
      try {
        const result = await work();
        inARow = 0;
        return result;
      } catch (error) {
        if (counts(error)) {
          last = error instanceof Error ? error.message : String(error);
          if (++inARow >= failures) restsUntil = now() + restMs;
        } else {
          inARow = 0;
        }
        throw error;
      } finally {
        if (probe) probing = false;
      }
    },
  };
}

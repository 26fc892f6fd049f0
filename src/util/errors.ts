/** Exit code of a failure at run time. */
export const EXIT_FAILURE = 1;
/** Exit code of a command line or configuration that makes no sense. */
const EXIT_USAGE = 2;
/** Exit code after Ctrl-C. */
export const EXIT_INTERRUPTED = 130;

/**
 * An error that the person at the terminal can cure. Its message is one line, cause first and cure after it, and is
 * printed without a stack.
 *
 * @example
 * ```ts
 * import { UserError } from "./errors.ts";
 * const error = new UserError("data: want 30730000 bytes in test_batch.bin, got 1024; delete it and run again");
 * if (error.exitCode !== 1) throw error;
 * ```
 */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly exitCode: number;

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? EXIT_FAILURE;
  }
}

/** Bytes that are missing or are not those that were written. Something older may still be whole. */
export class DamageError extends UserError {}

/** A server that has not answered, however often it was asked. Later it may. */
export class UnavailableError extends UserError {}

/** A `UserError` about usage: exit code 2. */
export function usageError(message: string): UserError {
  return new UserError(message, { exitCode: EXIT_USAGE });
}

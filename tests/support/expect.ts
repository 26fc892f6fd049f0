/** The few assertions of suites that also run in a page, where `node:assert` is not. */

/** @throws {Error} if the two differ as JSON. */
export function expectEqual(got: unknown, want: unknown, what: string): void {
  const [g, w] = [JSON.stringify(got), JSON.stringify(want)];
  if (g !== w) throw new Error(`${what}: want ${w}, got ${g}`);
}

/** @throws {Error} if the condition does not hold. */
export function expectTrue(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

// deno-lint-ignore no-explicit-any
type ErrorClass = abstract new (...args: any[]) => Error;

/** @throws {Error} if `act` does not fail with an error of the class and a message that matches. */
export async function expectFailure(
  act: () => unknown,
  type: ErrorClass,
  message: RegExp,
): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (error instanceof type && message.test(error.message)) return;
    throw new Error(`want a ${type.name} that matches ${message}, got ${error}`);
  }
  throw new Error(`want a ${type.name} that matches ${message}, got none`);
}

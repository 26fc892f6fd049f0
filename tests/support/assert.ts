/**
 * The names of `@std/assert` over `node:assert/strict`, so that the tests need no registry beyond npm.
 * `deno.json` maps `@std/assert` here; that map is the one line to change to use the real library.
 */
import nodeAssert from "node:assert/strict";

/** Thrown by every assertion below when it does not hold. */
export const AssertionError: typeof nodeAssert.AssertionError = nodeAssert.AssertionError;

// deno-lint-ignore no-explicit-any
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

function stop(message: string, detail?: string): never {
  throw new AssertionError({ message: detail === undefined ? message : `${detail}: ${message}` });
}

function show(value: unknown): string {
  if (typeof value === "function") return value.name || "function";
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const list = value as unknown as ArrayLike<number>;
    const head = Array.from({ length: Math.min(8, list.length) }, (_, i) => String(list[i])).join(", ");
    return `${value.constructor.name}(${list.length})[${head}${list.length > 8 ? ", ..." : ""}]`;
  }
  return typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? String(value));
}

/** `expr` is truthy. */
export function assert(expr: unknown, message = "want a truthy value"): asserts expr {
  if (!expr) stop(message);
}

/** `expr` is falsy. */
export function assertFalse(expr: unknown, message?: string): asserts expr is false {
  if (expr) stop(`want a falsy value, got ${show(expr)}`, message);
}

/** Deep equality; `NaN` equals itself, `0` and `-0` differ. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.deepStrictEqual(actual, expected, message as string);
}

/** Deep inequality. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.notDeepStrictEqual(actual, expected, message as string);
}

/** Identity as by `Object.is`. */
export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  nodeAssert.strictEqual(actual, expected, message as string);
}

/** No identity as by `Object.is`. */
export function assertNotStrictEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.notStrictEqual(actual, expected, message as string);
}

/** |actual - expected| <= tolerance; the default tolerance is 1e-7 of the larger magnitude. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  message?: string,
): void {
  if (Object.is(actual, expected)) return;
  const limit = tolerance ?? Math.max(Math.abs(actual), Math.abs(expected)) * 1e-7;
  const delta = Math.abs(actual - expected);
  if (!(delta <= limit)) stop(`want ${expected} within ${limit}, got ${actual} (off by ${delta})`, message);
}

/** `value` is neither `null` nor `undefined`. */
export function assertExists<T>(value: T, message?: string): asserts value is NonNullable<T> {
  if (value === null || value === undefined) stop(`want a value, got ${value}`, message);
}

/** `value` is an instance of `type`. */
export function assertInstanceOf<T>(
  value: unknown,
  // deno-lint-ignore no-explicit-any
  type: abstract new (...args: any[]) => T,
  message?: string,
): asserts value is T {
  if (!(value instanceof type)) stop(`want an instance of ${type.name}, got ${show(value)}`, message);
}

/** `actual` contains the text `expected`. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  if (!actual.includes(expected)) stop(`want text with ${show(expected)}, got ${show(actual)}`, message);
}

/** `actual` matches `expected`. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  if (!expected.test(actual)) stop(`want text matching ${expected}, got ${show(actual)}`, message);
}

/** `actual` does not match `expected`. */
export function assertNotMatch(actual: string, expected: RegExp, message?: string): void {
  if (expected.test(actual)) stop(`want text not matching ${expected}, got ${show(actual)}`, message);
}

/** Every element of `expected` is deeply equal to some element of `actual`. */
export function assertArrayIncludes<T>(actual: ArrayLike<T>, expected: ArrayLike<T>, message?: string): void {
  const has = (wanted: T) => Array.from(actual).some((item) => deepEqual(item, wanted));
  const missing = Array.from(expected).filter((item) => !has(item));
  if (missing.length > 0) stop(`want ${show(actual)} to include ${show(missing)}`, message);
}

/** `expected` is deeply contained in `actual`; keys that `expected` leaves out are not looked at. */
export function assertObjectMatch(actual: object, expected: object, message?: string): void {
  nodeAssert.partialDeepStrictEqual(actual, expected, message as string);
}

function deepEqual(a: unknown, b: unknown): boolean {
  try {
    nodeAssert.deepStrictEqual(a, b);
    return true;
  } catch {
    return false;
  }
}

/** `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  if (!(actual > expected)) stop(`want more than ${show(expected)}, got ${show(actual)}`, message);
}

/** `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (!(actual >= expected)) stop(`want at least ${show(expected)}, got ${show(actual)}`, message);
}

/** `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  if (!(actual < expected)) stop(`want less than ${show(expected)}, got ${show(actual)}`, message);
}

/** `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (!(actual <= expected)) stop(`want at most ${show(expected)}, got ${show(actual)}`, message);
}

/** `error` is an `Error` of the class and with the text asked for. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  type?: ErrorClass<E>,
  text?: string | RegExp,
  message?: string,
): asserts error is E {
  if (!(error instanceof Error)) stop(`want an Error, got ${show(error)}`, message);
  if (type && !(error instanceof type)) {
    stop(`want an error of class ${type.name}, got ${error.constructor.name}: ${error.message}`, message);
  }
  const fits = text === undefined ||
    (typeof text === "string" ? error.message.includes(text) : text.test(error.message));
  if (!fits) stop(`want an error message with ${show(String(text))}, got ${show(error.message)}`, message);
}

/** `fn` throws; returns what it threw. */
export function assertThrows(fn: () => unknown, message?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  type: ErrorClass<E>,
  text?: string | RegExp,
  message?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  type?: ErrorClass<Error> | string,
  text?: string | RegExp,
  message?: string,
): unknown {
  const note = typeof type === "string" ? type : message;
  try {
    fn();
  } catch (error) {
    if (typeof type === "function") assertIsError(error, type, text, note);
    return error;
  }
  stop("want a throw, got a return", note);
}

/** The promise of `fn` rejects; resolves to the reason. A synchronous throw is a failure. */
export function assertRejects(fn: () => PromiseLike<unknown>, message?: string): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  type: ErrorClass<E>,
  text?: string | RegExp,
  message?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  type?: ErrorClass<Error> | string,
  text?: string | RegExp,
  message?: string,
): Promise<unknown> {
  const note = typeof type === "string" ? type : message;
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    stop(`want a rejected promise, got a synchronous throw of ${error}`, note);
  }
  try {
    await promise;
  } catch (error) {
    if (typeof type === "function") assertIsError(error, type, text, note);
    return error;
  }
  stop("want a rejected promise, got a fulfilled one", note);
}

/** Fails always. */
export function fail(message?: string): never {
  stop("failed", message);
}

/** For code that is never reached. */
export function unreachable(message?: string): never {
  stop("unreachable", message);
}

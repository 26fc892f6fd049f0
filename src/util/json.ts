/** What JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Far deeper than anything that Esper writes; what is deeper could exhaust the stack of whoever walks through it. */
const MAX_DEPTH = 100;

/**
 * Parses JSON that may come from anywhere.
 *
 * @throws {SyntaxError} if it is not JSON, or nested deeper than 100 levels.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw new SyntaxError(`want at most ${MAX_DEPTH} levels, got more`);
    level = level.flatMap((item) => typeof item === "object" && item !== null ? Object.values(item) : []);
  }
  return value;
}

/**
 * The one text of a JSON value (RFC 8785): keys sorted by UTF-16 units, no white space, so that equal values have equal
 * hashes.
 *
 * @throws with the path to what JSON cannot hold: NaN, infinities, undefined, functions, class instances
 *
 * @example
 * ```ts
 * import { canonicalJson } from "./json.ts";
 * if (canonicalJson({ b: [1, 2], a: null }) !== '{"a":null,"b":[1,2]}') throw new Error();
 * ```
 */
export function canonicalJson(value: unknown): string {
  return render(value, "");
}

function render(value: unknown, path: string): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) refuse(value, path, "; store null for what is not known");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${Array.from(value, (v, i) => render(v, `${path}[${i}]`)).join(",")}]`;
  if (typeof value !== "object") refuse(value, path, "; leave the key out or store null");
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    refuse(prototype.constructor.name, path, "; turn it into plain objects and arrays first");
  }
  const entries = Object.entries(value as object).sort(([a], [b]) => a < b ? -1 : 1);
  return `{${
    entries.map(([k, v]) => `${JSON.stringify(k)}:${render(v, path === "" ? k : `${path}.${k}`)}`).join(",")
  }}`;
}

function refuse(got: unknown, path: string, cure: string): never {
  throw new Error(`canonicalJson: want JSON at ${path === "" ? "the top" : path}, got ${String(got)}${cure}`);
}

/** For `JSON.stringify`, which makes null of NaN and infinities: as text they are not mistaken for "not known". */
export function finiteOrText(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

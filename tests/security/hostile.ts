/** Files as no program wrote them: mutations of good ones, and what may come of reading one. */
import fc from "fast-check";
import { BlueprintError } from "../../src/tezzeret/mod.ts";
import { UserError } from "../../src/util/errors.ts";

/** Something that reads what may come from anywhere. */
export interface Reader {
  readonly name: string;
  /** Good files. */
  readonly seeds: readonly Uint8Array[];
  /** Reads a file to its end and makes of it what Esper would. */
  read(bytes: Uint8Array<ArrayBuffer>): unknown;
}

/** Values that break what trusts them. */
const HOSTILE: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    true,
    0,
    -1,
    0.5,
    1e15,
    2 ** 53,
    2 ** 31,
    1e308,
    -1e308,
    "",
    "\0",
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    "__proto__",
    "constructor",
    "toString",
    "#NaN",
    "#toString",
    "*".repeat(60),
    "*a".repeat(40),
    "%s%n",
    "a".repeat(10_000),
  ),
  fc.constantFrom<unknown>([], {}, [[]], JSON.parse('{"__proto__":{"polluted":1}}'), {
    constructor: { prototype: { polluted: 1 } },
  }),
  fc.constant(new Array(1000).fill(0)),
  fc.constant(null).map(() => JSON.parse(`${"[".repeat(500)}${"]".repeat(500)}`)),
  fc.jsonValue({ maxDepth: 2 }),
);

type Tree = Record<string, unknown>;

/** Every place in a JSON value, as a path. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.keys(value).flatMap((key) => pathsOf((value as Tree)[key], [...path, key]))];
}

function replaced(
  value: unknown,
  [key, ...rest]: readonly string[],
  change: (old: unknown) => unknown,
): unknown {
  if (key === undefined) return change(value);
  const copy = (Array.isArray(value) ? [...value] : { ...(value as Tree) }) as Tree;
  copy[key] = replaced(copy[key], rest, change);
  return copy;
}

/** JSON with one to three of its places replaced, repeated, removed or given a neighbour. */
export function mutateJson(value: unknown): fc.Arbitrary<unknown> {
  const one = (value: unknown): fc.Arbitrary<unknown> =>
    fc.tuple(
      fc.constantFrom(...pathsOf(value)),
      HOSTILE,
      fc.constantFrom("put", "put", "remove", "add", "repeat"),
    ).map(
      ([path, hostile, how]) =>
        replaced(value, path, (old) => {
          if (how === "remove") return undefined;
          if (how === "repeat" && Array.isArray(old)) return [...old, ...old, ...old];
          if (how === "add" && typeof old === "object" && old !== null && !Array.isArray(old)) {
            return { ...old, stray: hostile };
          }
          return hostile;
        }),
    );
  return fc.oneof(one(value), one(value).chain(one), one(value).chain(one).chain(one));
}

/** A file with bytes flipped, put in, cut out, cut off or repeated. */
export function mutateBytes(bytes: Uint8Array): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const at = fc.nat(Math.max(0, bytes.length - 1)), length = fc.nat(16);
  const flips = fc.array(fc.tuple(at, fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 6 }).map(
    (flips) => {
      const copy = Uint8Array.from(bytes);
      for (const [k, mask] of flips) copy[k] ^= mask;
      return copy;
    },
  );
  const splice = fc.tuple(at, length, fc.uint8Array({ maxLength: 12 })).map(([k, n, put]) =>
    Uint8Array.from([...bytes.subarray(0, k), ...put, ...bytes.subarray(k + n)])
  );
  return fc.oneof(
    flips,
    flips,
    splice,
    at.map((k) => bytes.slice(0, k)),
    at.map((k) => Uint8Array.from([...bytes, ...bytes.subarray(k)])),
    fc.uint8Array({ maxLength: 64 }),
  );
}

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value) ?? "");

/** A mutation of one of a reader's seeds: of its JSON where it is JSON, of its bytes always. */
export function mutationsOf({ seeds }: Reader): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const arbitraries = seeds.flatMap((seed) => {
    try {
      return [mutateBytes(seed), mutateJson(JSON.parse(new TextDecoder().decode(seed))).map(encode)];
    } catch {
      return [mutateBytes(seed)];
    }
  });
  return fc.oneof(...arbitraries);
}

/** What came of a file: it was read, or refused in words. */
export type Outcome = "read" | "refused";

/** Longest that one small file may take, in ms: hangs take forever, everything else a hundredth of it. */
const LIMIT_MS = 3000;

/** @throws {Error} if the file crashed its reader, took too long, or left a trace in what all objects inherit. */
export async function feed({ name, read }: Reader, bytes: Uint8Array<ArrayBuffer>): Promise<Outcome> {
  const started = performance.now();
  const outcome = await attempt(name, () => read(bytes));
  const elapsed = performance.now() - started;
  if (elapsed > LIMIT_MS) throw new Error(`${name}: want at most ${LIMIT_MS} ms, got ${elapsed}`);
  if ("polluted" in {} || Object.keys(Object.prototype).length > 0) {
    throw new Error(`${name}: Object.prototype was changed`);
  }
  return outcome;
}

async function attempt(name: string, read: () => unknown): Promise<Outcome> {
  try {
    await read();
    return "read";
  } catch (error) {
    const clear = error instanceof UserError || error instanceof BlueprintError ||
      error instanceof Error && error.constructor === Error && /\bwant\b/.test(error.message);
    if (clear) return "refused";
    throw new Error(`${name}: crashed: ${error instanceof Error ? error.stack : error}`, { cause: error });
  }
}

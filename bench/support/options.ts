import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import type { BackendChoice } from "../../src/app/options.ts";

/** What every benchmark takes. */
const COMMON = {
  backend: { type: "string", default: "auto" },
  "unsafe-gpu": { type: "boolean", default: false },
  rounds: { type: "string" },
  seconds: { type: "string" },
  quick: { type: "boolean", default: false },
  json: { type: "string" },
} as const satisfies ParseArgsOptionsConfig;

/** Options that all benchmarks share, as the harness takes them. */
export interface CommonOptions {
  readonly backend: BackendChoice;
  /** Without bounds checks. */
  readonly unsafe: boolean;
  /** Timings that a median is taken of. */
  readonly rounds: number;
  /** About how long one timing lasts. */
  readonly seconds: number;
  /** Sizes that a computer without a GPU gets through in seconds. */
  readonly quick: boolean;
  /** File for the numbers, as JSON; null for none. */
  readonly json: string | null;
}

/**
 * The command line: what all benchmarks take, and texts by name, with their defaults, that are of this one alone. An
 * option without a default is "" where it is not given. `rounds` and `seconds` are what this benchmark takes where it is
 * told nothing.
 *
 * @throws {TypeError} on an option that there is not.
 */
export function readOptions<Own extends Readonly<Record<string, string | boolean>>>(
  own: Own,
  { rounds = 7, seconds = 0.2 }: { rounds?: number; seconds?: number } = {},
): CommonOptions & {
  readonly own: { readonly [K in keyof Own]: Own[K] extends boolean ? boolean : string };
} {
  const extra = Object.fromEntries(
    Object.entries(own).map(([name, value]) => [
      name,
      typeof value === "boolean"
        ? { type: "boolean" as const, default: value }
        : { type: "string" as const, default: value },
    ]),
  );
  const values = parseArgs({ args: Deno.args, options: { ...extra, ...COMMON } }).values as Record<
    string,
    unknown
  >;
  const quick = values.quick as boolean;
  return {
    backend: values.backend as BackendChoice,
    unsafe: values["unsafe-gpu"] as boolean,
    rounds: Number(values.rounds ?? (quick ? 3 : rounds)),
    seconds: Number(values.seconds ?? (quick ? 0.01 : seconds)),
    quick,
    json: values.json as string ?? null,
    own: Object.fromEntries(Object.keys(own).map((name) => [name, values[name]])) as never,
  };
}

/** `"64,512"` as numbers. @throws {RangeError} where a part is none. */
export function numbersOf(list: string): number[] {
  return list.split(",").map((text) => {
    const value = Number(text);
    if (!(value > 0)) {
      throw new RangeError(`options: want numbers above 0 with commas between, got "${list}"`);
    }
    return value;
  });
}

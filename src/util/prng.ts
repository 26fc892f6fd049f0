import { philox } from "./philox.ts";

/** Random numbers for the host side; the same (seed, stream) gives the same numbers everywhere. */
export interface Prng {
  /** A float64 in [0, 1) with 53 random bits. */
  uniform(): number;
  /** Standard normal, by Box and Muller. */
  normal(): number;
  /** An integer 0 to n - 1. */
  below(n: number): number;
  /** Fisher and Yates, in place. */
  shuffle(values: { length: number; [i: number]: number }): void;
}

/** Last counter word of host-side streams; kernels leave it 0, so the two never draw the same block. */
const HOST = 1;

/**
 * The stream of random numbers named `stream` under `seed` (u32): Philox blocks 0, 1, 2, ... of two float64 each. Streams of
 * different names are independent, so that a new use of chance never shifts an old one.
 */
export function prng(seed: number, stream: string): Prng {
  if (seed !== seed >>> 0) {
    throw new Error(`prng: want a seed that is an integer 0 to 4294967295, got ${seed}`);
  }
  const key = [seed, fnv1a(stream)] as const;
  let block = 0, spare: number | null = null;
  const uniform = () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    const [a, b, c, d] = philox([block++, 0, 0, HOST], key);
    spare = unitInterval(c, d);
    return unitInterval(a, b);
  };
  const below = (n: number) => Math.floor(uniform() * n);
  return {
    uniform,
    below,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    shuffle(values) {
      for (let i = values.length - 1; i > 0; i--) {
        const j = below(i + 1), held = values[i];
        values[i] = values[j];
        values[j] = held;
      }
    },
  };
}

/** 27 and 26 bits of two words as a float64 in [0, 1). */
function unitInterval(high: number, low: number): number {
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) * 2 ** -53;
}

/** FNV-1a over UTF-16 units, 32 bits. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

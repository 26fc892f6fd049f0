import { sizeOf } from "../../src/util/shape.ts";
import type { Values } from "../../src/engine/graph/op.ts";
import type { CaseInput } from "../cases/types.ts";

/** A small generator (mulberry32) for test values: uniform in [0, 1). */
export function testRandom(seed: string): () => number {
  let state = [...seed].reduce((hash, c) => Math.imul(hash ^ c.charCodeAt(0), 16777619) >>> 0, 2166136261);
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Values of a case's input, representable in float32. */
export function fillInput(
  { shape, dtype = "f32", fill = "normal" }: CaseInput,
  random: () => number,
): Values {
  const size = sizeOf(shape);
  if (dtype === "u32") {
    if (Array.isArray(fill)) return Uint32Array.from(fill);
    const bound = typeof fill === "object" && "below" in fill ? fill.below : 2;
    return Uint32Array.from({ length: size }, () => Math.floor(random() * bound));
  }
  if (typeof fill === "object") return Float64Array.from(fill as readonly number[], Math.fround);
  return Float64Array.from(draw[fill](size, random), Math.fround);
}

const draw: Record<"normal" | "positive" | "distinct", (size: number, random: () => number) => number[]> = {
  normal: (size, random) =>
    Array.from(
      { length: size },
      () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
    ),
  positive: (size, random) => Array.from({ length: size }, () => 0.5 + 1.5 * random()),
  distinct(size, random) {
    const values = Array.from(
      { length: size },
      (_, i) => 0.05 * (i - size / 2) + (i >= size / 2 ? 0.05 : -0.02),
    );
    for (let i = size - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [values[i], values[j]] = [values[j], values[i]];
    }
    return values;
  },
};

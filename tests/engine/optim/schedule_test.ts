import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { learningRate } from "../../../src/engine/optim/schedule.ts";

const options = { peak: 0.4, warmup: 0.1, final: 0.01 };

Deno.test("learningRate() rises linearly, then falls along a cosine to its final share", () => {
  const known: [progress: number, rate: number][] = [
    [0, 0.4 * 1e-3],
    [0.025, 0.1],
    [0.05, 0.2],
    [0.1, 0.4],
    [0.325, 0.4 * (0.01 + 0.99 * (1 + Math.SQRT1_2) / 2)],
    [0.55, 0.4 * (0.01 + 0.99 / 2)],
    [1, 0.004],
    [1.2, 0.004],
  ];
  for (const [progress, rate] of known) assertAlmostEquals(learningRate(progress, options), rate, 1e-12);
});

Deno.test("learningRate() is a triangle where it starts at a share of the peak and falls along a line", () => {
  const triangle = { peak: 2, initial: 0.2, warmup: 0.25, final: 0.1, shape: "linear" } as const;
  const known: [progress: number, rate: number][] = [[0, 0.4], [0.125, 1.2], [0.25, 2], [0.625, 1.1], [
    1,
    0.2,
  ]];
  for (const [progress, rate] of known) assertAlmostEquals(learningRate(progress, triangle), rate, 1e-12);
});

Deno.test("learningRate() knows its ends: no warm-up, nothing but warm-up, no descent", () => {
  assertEquals(learningRate(0, { peak: 0.4, warmup: 0, final: 0 }), 0.4);
  assertAlmostEquals(learningRate(1, { peak: 0.4, warmup: 0, final: 0 }), 0, 1e-12);
  assertAlmostEquals(learningRate(1, { peak: 0.4, warmup: 1, final: 0.5 }), 0.2, 1e-12);
  for (const progress of [0, 0.5, 1]) {
    assertEquals(learningRate(progress, { peak: 2, warmup: 0, final: 1 }), 2);
  }
});

Deno.test("learningRate() is positive, at most the peak, and has no jump", () => {
  const share = fc.double({ min: 0.01, max: 0.9, noNaN: true });
  fc.assert(
    fc.property(share, share, fc.double({ min: 0, max: 1, noNaN: true }), (warmup, final, progress) => {
      const at = (t: number) => learningRate(t, { peak: 1, warmup, final });
      assert(at(progress) > 0 && at(progress) <= 1 + 1e-12);
      // The steepest places are the warm-up, 1 / warmup, and the middle of the cosine, π / 2 / (1 − warmup).
      const steepest = Math.max(1 / warmup, Math.PI / 2 / (1 - warmup));
      assert(Math.abs(at(progress + 1e-4) - at(progress)) <= 1.01e-4 * steepest + 1e-12);
    }),
  );
});

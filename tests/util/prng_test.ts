import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { prng } from "../../src/util/prng.ts";

function draw(seed: number, stream: string, count: number): number[] {
  const random = prng(seed, stream);
  return Array.from({ length: count }, () => random.uniform());
}

Deno.test("prng() repeats a stream and keeps streams and seeds apart", () => {
  assertEquals(draw(7, "a", 20), draw(7, "a", 20));
  assertNotEquals(draw(7, "a", 20), draw(7, "b", 20));
  assertNotEquals(draw(7, "a", 20), draw(8, "a", 20));
  assertEquals(new Set(draw(7, "a", 5000)).size, 5000);
});

Deno.test("prng() uniform has the mean and variance of [0, 1)", () => {
  const values = draw(1, "moments", 20_000);
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  // Four standard errors: sqrt(1/12/n) and sqrt(1/180/n).
  assertAlmostEquals(mean, 1 / 2, 4 * Math.sqrt(1 / 12 / values.length));
  assertAlmostEquals(variance, 1 / 12, 4 * Math.sqrt(1 / 180 / values.length));
  assert(values.every((x) => x >= 0 && x < 1));
});

Deno.test("prng() normal has mean 0, variance 1 and no dependence between neighbours", () => {
  const random = prng(1, "normal"), n = 20_000;
  const values = Array.from({ length: n }, () => random.normal());
  const mean = values.reduce((sum, x) => sum + x, 0) / n;
  const variance = values.reduce((sum, x) => sum + x * x, 0) / n - mean * mean;
  const neighbours = values.reduce((sum, x, i) => sum + x * values[(i + 1) % n], 0) / n;
  assertAlmostEquals(mean, 0, 4 / Math.sqrt(n));
  assertAlmostEquals(variance, 1, 4 * Math.sqrt(2 / n));
  assertAlmostEquals(neighbours, 0, 4 / Math.sqrt(n));
});

Deno.test("prng() below reaches every integer below n about equally often", () => {
  const random = prng(3, "below"), counts = new Array<number>(6).fill(0);
  for (let i = 0; i < 6000; i++) counts[random.below(6)]++;
  for (const count of counts) assertAlmostEquals(count, 1000, 4 * Math.sqrt(6000 * 5 / 36));
});

Deno.test("prng() shuffle gives each of the six orders of three about equally often", () => {
  const random = prng(5, "shuffle"), counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const values = [0, 1, 2];
    random.shuffle(values);
    counts.set(values.join(), (counts.get(values.join()) ?? 0) + 1);
  }
  assertEquals(counts.size, 6);
  for (const count of counts.values()) assertAlmostEquals(count, 1000, 4 * Math.sqrt(6000 * 5 / 36));
});

Deno.test("prng() rejects a seed that is not a u32", () => {
  for (const seed of [-1, 1.5, 2 ** 32, NaN]) {
    assertThrows(
      () => prng(seed, "s"),
      Error,
      `prng: want a seed that is an integer 0 to 4294967295, got ${seed}`,
    );
  }
});

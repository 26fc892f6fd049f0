import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { bootstrap, interquartileMean, probabilityOfImprovement } from "../../src/util/scores.ts";
import { prng } from "../../src/util/prng.ts";

Deno.test("interquartileMean() is the mean of the middle half, borders by their share", () => {
  assertEquals(interquartileMean([100, 1, 2, -50]), 1.5);
  // Of six values the outer 1.5 on each side are cut: halves of 2 and 5 remain.
  assertAlmostEquals(interquartileMean([1, 2, 3, 4, 5, 60]), (0.5 * 2 + 3 + 4 + 0.5 * 5) / 3, 1e-12);
});

Deno.test("probabilityOfImprovement() counts ties half and weighs tasks alike", () => {
  assertEquals(probabilityOfImprovement([[1, 2]], [[1, 2]]), 0.5);
  assertEquals(probabilityOfImprovement([[3], [0, 0]], [[1], [1, 1]]), 0.5);
  assertEquals(probabilityOfImprovement([[1]], [[1]]), 0.5);
});

Deno.test("bootstrap() draws the same seeds for all arms, and its interval holds the truth as often as it says", () => {
  const same = [[0.3, 0.1, 0.9, 0.4]];
  const difference = ([a, b]: readonly (readonly (readonly number[])[])[]) =>
    interquartileMean(a.flat()) - interquartileMean(b.flat());
  assertEquals(bootstrap([same, same], difference), { value: 0, low: 0, high: 0 });

  const random = prng(4, "coverage");
  const mean = ([[values]]: readonly (readonly (readonly number[])[])[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const held = Array.from({ length: 40 }, () => {
    const { low, high } = bootstrap([[Array.from({ length: 30 }, () => random.normal())]], mean);
    return low <= 0 && high >= 0;
  }).filter(Boolean).length;
  assert(held >= 34, `${held} of 40`);
});

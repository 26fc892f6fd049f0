import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { prng } from "../../src/util/prng.ts";
import {
  bcaMean,
  holm,
  meanOverLog,
  normalBelow,
  normalQuantile,
  pairedAbove,
  studentAbove,
} from "../../src/util/statistics.ts";

Deno.test("normalBelow() and normalQuantile() agree with tables", () => {
  for (const [z, below] of [[0, 0.5], [1, 0.8413447], [1.959964, 0.975], [-2.5758293, 0.005]]) {
    assertAlmostEquals(normalBelow(z), below, 2e-7);
    assertAlmostEquals(normalQuantile(below), z, 1e-5);
  }
});

Deno.test("studentAbove() agrees with tables", () => {
  const table = [[12.706, 1, 0.025], [2.776, 4, 0.025], [2.262, 9, 0.025], [1.96, 1e6, 0.025], [
    1,
    2,
    0.211325,
  ]];
  for (const [t, freedom, above] of table) {
    assertAlmostEquals(studentAbove(t, freedom), above, 2e-5);
    assertAlmostEquals(studentAbove(-t, freedom), 1 - above, 2e-5);
  }
  assertEquals([studentAbove(0, 7), studentAbove(Infinity, 3), studentAbove(-Infinity, 3)], [0.5, 0, 1]);
});

/** Additional hours of sleep by two drugs on the same ten people (Student 1908). */
const FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
const SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
const SLEEP = SECOND.map((hours, k) => hours - FIRST[k]);

Deno.test("pairedAbove() finds what Student found: t = 4.0621, p = 0.002833 on two sides", () => {
  assertAlmostEquals(2 * pairedAbove(SLEEP), 0.002833, 1e-6);
  assertAlmostEquals(pairedAbove(SLEEP.map((hours) => -hours)), 1 - 0.002833 / 2, 1e-6);
  assertAlmostEquals(pairedAbove(SLEEP, 1.58), 0.5, 1e-12);
  assertEquals([pairedAbove([3]), pairedAbove([1, 1]), pairedAbove([0, 0])], [1, 0, 1]);
});

Deno.test("bcaMean() of a skewed sample leans to the long tail, and widens with confidence", () => {
  const { value, low, high } = bcaMean(SLEEP);
  assertAlmostEquals(value, 1.58, 1e-12);
  // Of these data: percentile interval 0.93 to 2.33; BCa moves both ends up.
  assert(low > 0.9 && low < 1.15 && high > 2.35 && high < 2.9, `${low} to ${high}`);
  assert(high - value > value - low);
  const wide = bcaMean(SLEEP, 0.99);
  assert(wide.low < low && wide.high > high);
  assertEquals(bcaMean(SLEEP), { value, low, high });
  assertEquals(bcaMean([2, 2, 2]), { value: 2, low: 2, high: 2 });
});

Deno.test("bcaMean() holds the truth about as often as it says", () => {
  const random = prng(3, "bca coverage");
  const held = Array.from({ length: 60 }, () => {
    const { low, high } = bcaMean(Array.from({ length: 20 }, () => -Math.log(1 - random.uniform())));
    return low <= 1 && high >= 1;
  }).filter(Boolean).length;
  assert(held >= 50, `${held} of 60`);
});

Deno.test("holm() steps down, never below the one before", () => {
  const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
  [0.03, 0.06, 0.06, 0.02].forEach((p, k) => assertAlmostEquals(adjusted[k], p, 1e-12));
  assertEquals([holm([]), holm([0.7, 0.8])], [[], [1, 1]]);
});

Deno.test("meanOverLog() weighs doublings alike", () => {
  const line = [1, 2, 4, 8].map((x) => ({ x, y: Math.log2(x) }));
  assertAlmostEquals(meanOverLog(line, 1, 8), 1.5, 1e-12);
  assertAlmostEquals(meanOverLog(line, 2, 4), 1.5, 1e-12);
  // Half of the window lies beyond the ends.
  assertAlmostEquals(meanOverLog([{ x: 1, y: 0 }, { x: 4, y: 2 }], 1, 16), 1.5, 1e-12);
  assertAlmostEquals(meanOverLog([{ x: 2, y: 3 }], 1, 16), 3, 1e-12);
});

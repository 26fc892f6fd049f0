import { assertAlmostEquals, assertEquals } from "@std/assert";
import { slopeOf, TREND_TICKS, trendColumn, trendOf } from "../../src/kasmina/trend.ts";

Deno.test("slopeOf() is the least-squares slope, unknown values left out", () => {
  assertEquals(slopeOf([0, 2, 4]), 2);
  assertEquals(slopeOf([1, null, 2, 2.5]), 0.5);
  assertAlmostEquals(slopeOf([1, 3, 2])!, 0.5, 1e-12);
  assertEquals(slopeOf([5, 5, 5, 5]), 0);
});

Deno.test("slopeOf() knows no slope of too few values, nor of a value that is not finite", () => {
  for (const values of [[], [1], [1, 2], [1, null, 2], [1, 2, NaN], [1, 2, Infinity]]) {
    assertEquals(slopeOf(values), null);
  }
});

Deno.test("a trend column keeps the last ticks of each row, and what it restores goes on alike", () => {
  const column = trendColumn(2);
  for (let tick = 0; tick < TREND_TICKS + 3; tick++) column.note(1, tick === 5 ? null : 3 * tick);
  assertEquals([column.get(0), column.slope(0), column.recent(0)], [null, null, []]);
  assertEquals([column.get(1), column.recent(1).length], [30, TREND_TICKS]);
  assertAlmostEquals(column.slope(1)!, 3, 1e-12);
  const copy = trendColumn(2);
  copy.restore(1, column.recent(1));
  for (const either of [column, copy]) either.note(1, null);
  assertEquals([copy.get(1), copy.slope(1)], [null, column.slope(1)]);
});

Deno.test("trendOf() has the slope's error from the errors' pool, or from the scatter where that is larger", () => {
  const { slope, se } = trendOf([0, 1, 2], [0.3, 0.3, 0.3])!;
  assertAlmostEquals(slope, 1, 1e-12);
  assertAlmostEquals(se, 0.3 / Math.SQRT2, 1e-12);
  // One error that came out small is worth no more than the others.
  assertAlmostEquals(trendOf([0, 1, 2], [0, 0.3, 0.3])!.se, Math.sqrt(0.06 / 2), 1e-12);
  // The line through 0, 3, 0 is flat, and the points scatter about it by 6 in squares, with one degree of freedom.
  assertAlmostEquals(trendOf([0, 3, 0], [0.1, 0.1, 0.1])!.se, Math.sqrt(6 / 2), 1e-12);
  assertEquals(trendOf([1, null, 3], [1, 9, 1]), { slope: 1, se: Math.sqrt(1 / 2) });
});

Deno.test("trendOf() of one mean may be anything, and of none, or of what is no number, is unknown", () => {
  assertEquals(trendOf([null, 2], [null, 0.1]), { slope: 0, se: Infinity });
  for (const [means, errors] of [[[], []], [[null], [null]], [[1, NaN], [1, 1]], [[1, 2], [Infinity, 1]]]) {
    assertEquals(trendOf(means, errors), null);
  }
});

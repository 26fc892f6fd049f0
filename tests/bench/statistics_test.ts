import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { numbersOf } from "../../bench/support/options.ts";
import { logPlot } from "../../bench/support/plot.ts";
import { atMost, logSlope, spreadOf } from "../../bench/support/statistics.ts";
import { bootstrapMedian } from "../../src/util/statistics.ts";

Deno.test("spreadOf() takes median and quantiles between values", () => {
  assertEquals(spreadOf([5, 1, 4, 2, 3]), { median: 3, p10: 1.4, p90: 4.6 });
  assertEquals(spreadOf([2]), { median: 2, p10: 2, p90: 2 });
  assertEquals(spreadOf([1, 2]).median, 1.5);
});

Deno.test("bootstrapMedian() is sure of equal values and less so of scattered ones", () => {
  assertEquals(bootstrapMedian([2, 2, 2]), { median: 2, low: 2, high: 2 });
  const values = Array.from({ length: 101 }, (_, k) => k);
  const { median, low, high } = bootstrapMedian(values);
  assertEquals(median, 50);
  assertEquals([low > 30 && low < 50, high > 50 && high < 70], [true, true]);
  assertEquals(bootstrapMedian(values), { median, low, high });
});

Deno.test("logSlope() finds the power", () => {
  assertAlmostEquals(logSlope([1, 2, 4, 8].map((x) => ({ x, y: 3 * x ** 1.5 }))), 1.5, 1e-12);
  assertAlmostEquals(logSlope([1, 10, 100].map((x) => ({ x, y: 7 }))), 0, 1e-12);
});

Deno.test("atMost() is the share at which as few hits have a probability of 5 %", () => {
  assertAlmostEquals(atMost(0, 12), 1 - 0.05 ** (1 / 12), 1e-8);
  // 1 of 2 or fewer: 1 − p².
  assertAlmostEquals(atMost(1, 2), Math.sqrt(0.95), 1e-8);
  assertEquals(atMost(3, 3), 1);
});

Deno.test("numbersOf() reads a list and refuses what is no number above 0", () => {
  assertEquals(numbersOf("64,512"), [64, 512]);
  for (const wrong of ["", "64,", "x", "-1", "0"]) assertThrows(() => numbersOf(wrong), RangeError, wrong);
});

Deno.test("logPlot() draws a circle a point and escapes names", () => {
  const points = [{ x: 1, y: 2 }, { x: 8, y: 30 }];
  const svg = logPlot("Time <by> size", "size", "ms", [{ name: "a & b", points }, { name: "c", points }]);
  assertEquals(svg.match(/<circle /g)?.length, 4);
  assertEquals(svg.match(/<polyline /g)?.length, 2);
  assertEquals(svg.includes("a &amp; b") && svg.includes("Time &lt;by> size"), true);
  assertEquals(svg.includes("NaN"), false);
});

import { assertAlmostEquals, assertEquals } from "@std/assert";
import { alphaValues, measure } from "../../src/tolaria/evaluator.ts";

Deno.test("measure() gives mean, standard error of the mean and count", () => {
  const { mean, se, n } = measure([1, 2, 3, 4]);
  assertEquals([mean, n], [2.5, 4]);
  // Sample variance 5/3, over 4 values.
  assertAlmostEquals(se, Math.sqrt(5 / 3 / 4), 1e-15);
});

Deno.test("measure() of one value has no spread", () => {
  assertEquals(measure([7]), { mean: 7, se: 0, n: 1 });
});

Deno.test("measure() lets a broken number through", () => {
  assertEquals(measure([1, NaN]), { mean: NaN, se: NaN, n: 2 });
});

Deno.test("alphaValues() names the step value of each slot", () => {
  assertEquals(alphaValues({ a: 0.25, "b/c": 1 }), { "alpha/a": 0.25, "alpha/b/c": 1 });
});

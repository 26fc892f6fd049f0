import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type AlphaSchedule, rampAlpha } from "../../src/kasmina/alpha.ts";

const SCHEDULES: AlphaSchedule[] = ["linear", "cosine", "sigmoid", "guarded"];

Deno.test("rampAlpha() follows each schedule's formula", () => {
  const at = (schedule: AlphaSchedule, elapsed: number) =>
    rampAlpha({ schedule, direction: "in", from: 0, ticks: 4 }, elapsed);
  assertEquals(at("linear", 1), 0.25);
  assertAlmostEquals(at("cosine", 1), (1 - Math.SQRT1_2) / 2, 1e-12);
  assertAlmostEquals(at("sigmoid", 2), 0.5, 1e-12);
  assert(at("sigmoid", 1) < 0.06);
  assertEquals(at("guarded", 3), 0.75);
});

Deno.test("rampAlpha() stays in [0, 1], never turns back and snaps to its ends", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...SCHEDULES),
      fc.constantFrom("in" as const, "out" as const),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(2, 4, 8),
      fc.array(fc.double({ min: 0, max: 9, noNaN: true }), { minLength: 2 }),
      (schedule, direction, from, ticks, times) => {
        const ramp = { schedule, direction, from, ticks };
        const values = times.sort((a, b) => a - b).map((elapsed) => rampAlpha(ramp, elapsed));
        const sign = direction === "in" ? 1 : -1;
        for (const [k, value] of values.entries()) {
          assert(value >= 0 && value <= 1);
          if (k > 0) assert(sign * (value - values[k - 1]) >= 0);
        }
        assertEquals(rampAlpha(ramp, 0), direction === "in" ? 0 : from);
        assertEquals(rampAlpha(ramp, ticks), direction === "in" ? 1 : 0);
        assertEquals(rampAlpha(ramp, ticks + 1), direction === "in" ? 1 : 0);
      },
    ),
  );
});

import { assertEquals } from "@std/assert";
import { attribute, during } from "../../bench/support/attribution.ts";

const step = (ms: number, end: number) => ({ ms, end, submitMs: 0, heldMs: 0, deviceMs: null });
const activities = [
  { what: "compile", from: 10, to: 20 },
  { what: "compile", from: 12, to: 18 },
  { what: "compare", from: 19, to: 40 },
];

Deno.test("during() names once what a step overlaps, and not what only touches it", () => {
  assertEquals(during(step(5, 17), activities), ["compile"]);
  assertEquals(during(step(5, 22), activities), ["compile", "compare"]);
  assertEquals([during(step(5, 10), activities), during(step(5, 45), activities)], [[], []]);
});

Deno.test("attribute() counts a step for each thing that went on, what made most late first", () => {
  const steps = [step(1, 5), step(1, 11), step(9, 21), step(8, 30), step(7, 38), step(1, 50)];
  assertEquals(attribute(steps, activities, 2), [
    { what: "compare", steps: 3, late: 3, p99: 9, most: 9 },
    { what: "compile", steps: 2, late: 1, p99: 9, most: 9 },
    { what: "nothing", steps: 2, late: 0, p99: 1, most: 1 },
  ]);
});

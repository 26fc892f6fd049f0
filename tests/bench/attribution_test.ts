import { assertEquals } from "@std/assert";
import { causeOf, during, type TimedStep, usualOf } from "../../bench/support/attribution.ts";

const activities = [
  { what: "compile", from: 10, to: 20 },
  { what: "compile", from: 12, to: 18 },
  { what: "compare", from: 19, to: 40 },
];

Deno.test("during() names once what a step overlaps, and not what only touches it", () => {
  const step = (ms: number, end: number) => ({ ms, end });
  assertEquals(during(step(5, 17), activities), ["compile"]);
  assertEquals(during(step(5, 22), activities), ["compile", "compare"]);
  assertEquals([during(step(5, 10), activities), during(step(5, 45), activities)], [[], []]);
});

const usual: TimedStep = {
  ...{ ms: 2, end: 0, submit: 1, polls: 0.2, device: 1, cpu: 1.2, noCore: 0, stoodStill: 0 },
};

Deno.test("causeOf() names what took most of the delay", () => {
  const late = (parts: Partial<TimedStep>) => causeOf({ ...usual, ms: 12, ...parts }, usual);
  assertEquals(late({ stoodStill: 9, submit: 11 }), "machine");
  assertEquals(late({ device: 10, polls: 3 }), "device");
  assertEquals(late({ submit: 10, cpu: 10 }), "submit");
  assertEquals(late({ polls: 10 }), "polls");
  assertEquals(late({ noCore: 7, cpu: 4 }), "noCore");
  assertEquals(late({ cpu: 9 }), "cpu");
  assertEquals(late({ cpu: 4, polls: 4 }), "asleep");
  assertEquals(late({ cpu: NaN, noCore: NaN, device: NaN }), "asleep");
});

Deno.test("usualOf() is the median of every part", () => {
  const steps = [1, 9, 2].map((ms) => ({ ...usual, ms, cpu: ms / 2, stoodStill: ms }));
  assertEquals(usualOf(steps), { ...usual, ms: 2, cpu: 1 });
});

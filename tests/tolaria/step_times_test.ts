import { assertAlmostEquals, assertEquals } from "@std/assert";
import { StepTimes } from "../../src/tolaria/step_times.ts";
import type { Topology } from "../../src/tolaria/growable.ts";

const seed = { seed: "a/1", blueprint: "conv3", mode: "shadow" } as const;
const HOST: Topology = {}, WITH: Topology = { a: seed };

/** A tick of readings every ten steps, each late by one, with these milliseconds a step between them. */
function tick(times: StepTimes, topology: Topology, millis: readonly number[]) {
  let time = 1000, step = 100;
  times.restart(step, time);
  times.read(step += 10, time);
  for (const each of millis) times.read(step += 10, time += 10 * each);
  return times.settle(topology);
}

Deno.test("StepTimes takes median and 95th percentile of what the device has done between readings", () => {
  const { stepP50, stepP95 } = tick(new StepTimes(), HOST, [2, 4, 3, 2, 3])!;
  assertAlmostEquals(stepP50, 3, 1e-12);
  assertAlmostEquals(stepP95, 3.8, 1e-12);
});

Deno.test("StepTimes knows nothing where readings are few, and begins anew with each tick", () => {
  const times = new StepTimes();
  assertEquals(tick(times, HOST, [2, 2]), null);
  assertEquals(tick(times, HOST, [5, 5, 5]), { stepP50: 5, stepP95: 5 });
});

Deno.test("StepTimes gives a seed the difference that it makes, where both were measured", () => {
  const times = new StepTimes();
  tick(times, WITH, [3, 3, 3]);
  assertEquals(times.microsOf("a", WITH), null, "the host alone was never measured");
  tick(times, HOST, [2.5, 2.5, 2.5]);
  assertAlmostEquals(times.microsOf("a", WITH)!, 500, 1e-9);
  assertEquals([times.microsOf("b", WITH), times.microsOf("a", HOST)], [null, null]);
  assertEquals(times.microsOf("a", { a: { ...seed, mode: "blend" } }), null, "another program");
});

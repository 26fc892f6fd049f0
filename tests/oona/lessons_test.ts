/** What went wrong elsewhere with buses, and does not here. */
import { assertEquals, assertRejects } from "@std/assert";
import type { Topic } from "../../src/contracts/events.ts";
import { createMemoryBus } from "../../src/oona/mod.ts";

const metrics = (step: number) => ({
  step,
  loss: NaN,
  accuracy: 0.5,
  learningRate: 0.1,
  imagesPerSecond: 10,
  flops: 100,
});

Deno.test("lesson 12, missing sensors that read as healthy: what is lost is counted, what is NaN stays NaN", async () => {
  const bus = createMemoryBus(), got: number[] = [];
  bus.subscribe("step.metrics", ({ payload }) => void got.push(payload.loss), { capacity: 2 });
  for (let step = 0; step < 5; step++) bus.publish("step.metrics", metrics(step));
  await bus.drain();
  assertEquals(got, [NaN, NaN]);
  assertEquals(bus.stats()[0].dropped, 3);
  await bus.close();
});

Deno.test("lesson 30, names that match nothing are accepted: a topic that there is not is an error", async () => {
  const bus = createMemoryBus();
  await assertRejects(
    () => bus.publish("telemetry.seed.health" as Topic, metrics(1)),
    Error,
    'publish: unknown topic "telemetry.seed.health"; there is action.vetoed, checkpoint.saved, ',
  );
  await bus.close();
});

Deno.test("lesson 34, async in the step: publishing telemetry takes no turn of the event loop, whoever listens", async () => {
  const bus = createMemoryBus();
  const stuck = Promise.withResolvers<void>();
  let timers = 0;
  bus.subscribe("step.metrics", () => stuck.promise, { capacity: 1 });
  bus.subscribe("step.metrics", () => Promise.reject(new Error("no")), { capacity: 1, retries: 0 });
  const timer = setTimeout(() => timers++);
  for (let step = 0; step < 100; step++) await bus.publish("step.metrics", metrics(step));
  assertEquals(timers, 0);
  clearTimeout(timer);
  stuck.resolve();
  await bus.close();
});

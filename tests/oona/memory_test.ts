import { assertEquals } from "@std/assert";
import { createMemoryBus } from "../../src/oona/mod.ts";
import { Queue } from "../../src/oona/queue.ts";

const info = (text: string) => ({ level: "info" as const, text });

Deno.test("createMemoryBus() keeps the order of publication across topics", async () => {
  const bus = createMemoryBus(), got: number[] = [];
  for (const topic of ["notice", "seed.edge", "step.metrics"] as const) {
    bus.subscribe(topic, ({ id }) => void got.push(id));
  }
  const metrics = { step: 1, loss: 1, accuracy: 0, learningRate: 0.1, imagesPerSecond: 1, flops: 1 };
  for (const topic of ["notice", "notice", "metrics", "notice", "metrics", "metrics", "notice"]) {
    if (topic === "notice") bus.publish("notice", info("a"));
    else bus.publish("step.metrics", metrics);
  }
  await bus.drain();
  assertEquals(got, [1, 2, 3, 4, 5, 6, 7]);
  await bus.close();
});

Deno.test("createMemoryBus() keeps the newest 1024 dead letters", async () => {
  const bus = createMemoryBus();
  bus.subscribe("notice", () => Promise.reject("no"), { retries: 0 });
  for (let i = 1; i <= 1030; i++) await bus.publish("notice", info(`${i}`));
  await bus.drain();
  const letters = bus.deadLetters();
  assertEquals([letters.length, letters[0].envelope.id, letters.at(-1)!.envelope.id], [1024, 7, 1030]);
  assertEquals([letters[0].error, bus.stats()[0].dead], ["no", 1030]);
  await bus.close();
});

Deno.test("Queue is first in, first out, at any length", () => {
  const queue = new Queue<number>(), model: number[] = [];
  for (let i = 0; i < 1000; i++) {
    queue.push(i);
    model.push(i);
    if (i % 3 === 0 || i > 900) assertEquals(queue.shift(), model.shift());
    if (i % 100 === 0) assertEquals(queue.items(), model);
  }
  assertEquals([queue.length, queue.clear()], [model.length, model]);
  assertEquals([queue.length, queue.shift()], [0, undefined]);
});

import { assertEquals } from "@std/assert";
import { undelivered } from "../../src/app/undelivered.ts";
import { createMemoryBus } from "../../src/oona/mod.ts";

Deno.test("undelivered() has a line for each subscriber and error", async () => {
  const bus = createMemoryBus();
  assertEquals(undelivered(bus.deadLetters()), []);
  bus.subscribe("notice", ({ payload }) => Promise.reject(new Error(`no ${payload.text}`)), {
    name: "tezzeret",
    retries: 0,
  });
  for (const text of ["a", "b", "a"]) await bus.publish("notice", { level: "info", text });
  await bus.drain();
  assertEquals(undelivered(bus.deadLetters()), [
    "tezzeret could not process 2 of the run's notice messages: no a",
    "tezzeret could not process 1 of the run's notice messages: no b",
  ]);
  await bus.close();
});

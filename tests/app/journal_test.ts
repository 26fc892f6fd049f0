import { assert, assertEquals } from "@std/assert";
import { Journal } from "../../src/app/journal.ts";
import type { AnyEnvelope, Payloads } from "../../src/contracts/events.ts";
import { createMemoryBus } from "../../src/oona/mod.ts";

const edge: Payloads["seed.edge"] = {
  tick: 1,
  step: 4,
  slot: "a",
  seed: "a/1",
  blueprint: "se",
  from: "DORMANT",
  to: "GERMINATED",
  reason: "action",
  evidence: {},
};
const notice = (text: string): Payloads["notice"] => ({ level: "info", text });

Deno.test("Journal carries every topic to log and display in order, and remembers edges", async () => {
  const bus = createMemoryBus(() => 5);
  const logged: AnyEnvelope[] = [], shown: AnyEnvelope[] = [];
  const journal = new Journal(
    bus,
    { record: (event) => void logged.push(event) },
    (event) => void shown.push(event),
  );
  await bus.publish("notice", notice("one"));
  await bus.publish("seed.edge", edge);
  await bus.publish("checkpoint.saved", {
    tick: 1,
    step: 4,
    name: "n",
    weights: "w",
    sizeBytes: 1,
    elapsedMs: 1,
  });
  await bus.drain();
  assertEquals(
    new Set(logged.map(({ topic }) => topic)),
    new Set(["notice", "seed.edge", "checkpoint.saved"]),
  );
  assertEquals(shown, logged);
  assertEquals(journal.edges, [edge]);
  assert(!journal.failed.aborted);
  await bus.close();
});

Deno.test("Journal without a log still shows", async () => {
  const bus = createMemoryBus(), shown: AnyEnvelope[] = [];
  new Journal(bus, null, (event) => void shown.push(event));
  await bus.publish("notice", notice("hello"));
  await bus.drain();
  assertEquals(shown.length, 1);
  await bus.close();
});

Deno.test("Journal whose log fails says so once, records no more, and tries not again", async () => {
  const bus = createMemoryBus();
  let tries = 0;
  const full = new Error("a full disk");
  const record = () => {
    tries++;
    throw full;
  };
  const journal = new Journal(bus, { record }, () => {});
  await bus.publish("notice", notice("one"));
  await bus.publish("notice", notice("two"));
  await bus.drain();
  assertEquals([tries, journal.failed.aborted, journal.failed.reason], [1, true, full]);
  assertEquals(bus.deadLetters(), []);
  await bus.close();
});

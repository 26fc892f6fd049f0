import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Envelope } from "../../src/contracts/events.ts";
import type { Bus } from "../../src/oona/bus.ts";

/** What every bus must do. `create` makes a fresh bus whose messages carry the given times. */
export function busSuite(name: string, create: (now: () => number) => Bus): void {
  const test = (criterion: string, body: (bus: Bus) => Promise<void>) =>
    Deno.test(`${name} ${criterion}`, async () => {
      const bus = create(() => 1700);
      try {
        await body(bus);
      } finally {
        await bus.close();
      }
    });

  test("delivers an envelope with id, time, topic and payload", async (bus) => {
    const got: Envelope[] = [];
    bus.subscribe("notice", (envelope) => void got.push(envelope));
    await bus.publish("notice", info("a"));
    await bus.drain();
    assertEquals(got, [{ id: 1, time: 1700, topic: "notice", payload: { level: "info", text: "a" } }]);
  });

  test("delivers only the subscribed topic, to every subscription", async (bus) => {
    const got: string[] = [];
    bus.subscribe("notice", ({ payload }) => void got.push(`1 ${payload.text}`));
    bus.subscribe("notice", ({ payload }) => void got.push(`2 ${payload.text}`));
    await bus.publish("notice", info("a"));
    await bus.publish("step.metrics", metrics(1));
    await bus.drain();
    assertEquals(got.sort(), ["1 a", "2 a"]);
  });

  test("keeps the order of publication, awaited or not, with slow handlers", async (bus) => {
    const got: string[] = [];
    bus.subscribe("notice", async ({ payload }) => {
      await Promise.resolve();
      got.push(payload.text);
    }, { capacity: 2 });
    const sent = Array.from({ length: 20 }, (_, i) => `${i}`);
    await Promise.all(sent.map((text) => bus.publish("notice", info(text))));
    await bus.drain();
    assertEquals(got, sent);
  });

  test("keeps the order when a handler fails and is tried again", async (bus) => {
    const got: string[] = [];
    bus.subscribe("notice", ({ payload }, { attempt }) => {
      if (payload.text === "a" && attempt < 3) throw new Error("not yet");
      got.push(`${payload.text}${attempt}`);
    }, { backoffMs: 1 });
    for (const text of ["a", "b"]) bus.publish("notice", info(text));
    await bus.drain();
    assertEquals(got, ["a3", "b1"]);
    assertEquals(bus.deadLetters(), []);
    assertEquals(bus.stats()[0].retried, 2);
  });

  test("never runs a handler inside publish", async (bus) => {
    let ran = false;
    bus.subscribe("notice", () => void (ran = true));
    const published = bus.publish("notice", info("a"));
    assertEquals(ran, false);
    await published;
    await bus.drain();
    assertEquals(ran, true);
  });

  test("drops the oldest telemetry when a queue is full and counts it", async (bus) => {
    const got: number[] = [];
    bus.subscribe("step.metrics", ({ payload }) => void got.push(payload.step), { capacity: 3 });
    for (let step = 1; step <= 10; step++) bus.publish("step.metrics", metrics(step));
    await bus.drain();
    assertEquals(got, [8, 9, 10]);
    const [stats] = bus.stats();
    assertEquals([stats.dropped, stats.delivered, stats.pending], [7, 3, 0]);
  });

  test("makes the publisher of a control topic wait for room", async (bus) => {
    const gate = Promise.withResolvers<void>();
    bus.subscribe("notice", () => gate.promise, { capacity: 1 });
    const settled: string[] = [];
    const sent = ["a", "b", "c"].map((text) =>
      bus.publish("notice", info(text)).then(() => settled.push(text))
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(settled, ["a", "b"]); // one in work, one in the queue
    assertEquals(bus.stats()[0].pending, 3);
    gate.resolve();
    await Promise.all(sent);
    await bus.drain();
    assertEquals(bus.stats()[0].delivered, 3);
  });

  test("a slow subscription does not hold up another", async (bus) => {
    const gate = Promise.withResolvers<void>();
    const quick = Promise.withResolvers<void>();
    bus.subscribe("notice", () => gate.promise);
    bus.subscribe("notice", () => quick.resolve());
    await bus.publish("notice", info("a"));
    await quick.promise;
    gate.resolve();
    await bus.drain();
  });

  test("backs off between tries, doubling up to the limit", async (bus) => {
    const times: number[] = [];
    bus.subscribe("notice", () => {
      times.push(performance.now());
      throw new Error("no");
    }, { retries: 3, backoffMs: 10, maxBackoffMs: 20 });
    bus.publish("notice", info("a"));
    await bus.drain();
    const waits = times.slice(1).map((t, i) => t - times[i]);
    assertEquals(waits.length, 3);
    for (const [i, least] of [10, 20, 20].entries()) {
      assert(waits[i] >= least - 2, `wait ${i}: ${waits[i]} ms`);
    }
  });

  test("keeps what no try could process as a dead letter and goes on", async (bus) => {
    const got: string[] = [];
    bus.subscribe("notice", ({ payload }) => {
      if (payload.text === "bad") throw new Error("cannot print");
      got.push(payload.text);
    }, { name: "printer", retries: 2, backoffMs: 1 });
    for (const text of ["bad", "good"]) bus.publish("notice", info(text));
    await bus.drain();
    assertEquals(got, ["good"]);
    assertEquals(bus.deadLetters(), [{
      envelope: { id: 1, time: 1700, topic: "notice", payload: info("bad") },
      subscription: "printer",
      attempts: 3,
      error: "cannot print",
    }]);
    assertEquals(bus.stats()[0].dead, 1);
  });

  test("waits for the ack of a manual subscription before the next message", async (bus) => {
    const log: string[] = [];
    const acks: (() => void)[] = [];
    bus.subscribe("notice", ({ payload }, { ack }) => {
      log.push(payload.text);
      acks.push(ack);
    }, { ack: "manual" });
    for (const text of ["a", "b"]) bus.publish("notice", info(text));
    await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(log, ["a"]);
    acks[0]();
    await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(log, ["a", "b"]);
    acks[1]();
    await bus.drain();
    assertEquals(bus.stats()[0].delivered, 2);
  });

  test("delivers again without an ack in time", async (bus) => {
    bus.subscribe("notice", (_, { attempt, ack }) => void (attempt === 2 && ack()), {
      ack: "manual",
      ackTimeoutMs: 5,
      backoffMs: 1,
    });
    bus.publish("notice", info("a"));
    await bus.drain();
    assertEquals(bus.stats()[0].retried, 1);
    assertEquals(bus.deadLetters(), []);
  });

  test("names the missing ack in the dead letter", async (bus) => {
    bus.subscribe("notice", () => {}, { ack: "manual", ackTimeoutMs: 2, retries: 0 });
    bus.publish("notice", info("a"));
    await bus.drain();
    assertEquals(bus.deadLetters()[0].error, "no ack within 2 ms");
  });

  test("forgets what waits for a subscription that has ended, its publishers included", async (bus) => {
    const gate = Promise.withResolvers<void>();
    const got: string[] = [];
    const unsubscribe = bus.subscribe("notice", ({ payload }) => {
      got.push(payload.text);
      return gate.promise;
    }, { capacity: 1 });
    const sent = ["a", "b", "c"].map((text) => bus.publish("notice", info(text)));
    await sent[1];
    unsubscribe();
    await sent[2];
    gate.resolve();
    await bus.drain();
    assertEquals(got, ["a"]);
    assertEquals(bus.deadLetters(), []);
  });

  test("drain waits for what a handler publishes", async (bus) => {
    let last = "";
    bus.subscribe("step.metrics", async () => await bus.publish("notice", info("from handler")));
    bus.subscribe("notice", ({ payload }) => void (last = payload.text));
    bus.publish("step.metrics", metrics(1));
    await bus.drain();
    assertEquals(last, "from handler");
  });

  test("close makes dead letters of what waits and rejects waiting publishers", async (bus) => {
    const gate = Promise.withResolvers<void>();
    bus.subscribe("notice", () => gate.promise, { capacity: 1 });
    const sent = ["a", "b", "c"].map((text) => bus.publish("notice", info(text)));
    await sent[1];
    const closing = bus.close();
    await assertRejects(
      () => sent[2],
      Error,
      'publish: want room in "notice", got a bus closed while waiting',
    );
    gate.resolve();
    await closing;
    assertEquals(
      bus.deadLetters().map(({ envelope, error }) => [(envelope as Envelope<"notice">).payload.text, error]),
      [
        ["b", "the bus was closed before delivery"],
        ["c", "the bus was closed before delivery"],
      ],
    );
  });

  test("close ends a wait for back-off or ack at once", async (bus) => {
    bus.subscribe("notice", () => {
      throw new Error("no");
    }, { backoffMs: 60_000, maxBackoffMs: 60_000 });
    bus.subscribe("notice", () => {}, { ack: "manual" });
    bus.publish("notice", info("a"));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await bus.close();
    assertEquals(bus.deadLetters().map((letter) => letter.error).sort(), [
      "no",
      "the bus was closed before the ack",
    ]);
  });

  test("refuses work after close", async (bus) => {
    await bus.close();
    await assertRejects(
      () => bus.publish("notice", info("a")),
      Error,
      'publish: want an open bus, got a closed one for "notice"',
    );
    assertThrows(() => bus.subscribe("notice", () => {}), Error, "subscribe: want an open bus");
  });

  test("refuses a capacity below 1", (bus) => {
    assertThrows(
      () => bus.subscribe("notice", () => {}, { capacity: 0 }),
      Error,
      "subscribe: want a capacity of at least 1, got 0",
    );
    return Promise.resolve();
  });

  test("drops messages nobody has subscribed to", async (bus) => {
    await bus.publish("notice", info("a"));
    const got: string[] = [];
    bus.subscribe("notice", ({ payload }) => void got.push(payload.text));
    await bus.drain();
    assertEquals(got, []);
  });
}

function info(text: string) {
  return { level: "info" as const, text };
}

function metrics(step: number) {
  return { step, loss: 1, accuracy: 0.5, learningRate: 0.1, imagesPerSecond: 10, flops: 100 };
}

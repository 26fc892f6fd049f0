import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Envelope, Topic } from "../../src/contracts/events.ts";
import type { Bus } from "../../src/oona/bus.ts";

/** Messages a topic that a bus under test keeps for replay. */
const HISTORY = 8;

/** What every bus must do. `create` makes a fresh bus with that history, whose messages carry the given times. */
export function busSuite(
  name: string,
  create: (now: () => number, history: number) => Bus | Promise<Bus>,
  ignore = false,
): void {
  const withBus = async (body: (bus: Bus) => Promise<void>) => {
    const bus = await create(() => 1700, HISTORY);
    try {
      await body(bus);
    } finally {
      await bus.close();
    }
  };
  const test = (criterion: string, body: (bus: Bus) => Promise<void>) =>
    Deno.test({ name: `${name} ${criterion}`, ignore, fn: () => withBus(body) });

  deliveryTests(test);
  failureTests(test);
  endTests(test);
  replayTests(test);
  isolationTests(test, withBus);
}

type Test = (criterion: string, body: (bus: Bus) => Promise<void>) => void;

function deliveryTests(test: Test): void {
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

  test("lets timers have their turn while handlers follow one another", async (bus) => {
    let handled = 0;
    bus.subscribe("notice", () => {
      handled++;
      for (const end = performance.now() + 1; performance.now() < end;);
    });
    for (let i = 0; i < 100; i++) bus.publish("notice", info("busy"));
    await new Promise((resolve) => setTimeout(resolve));
    assert(handled < 100, `${handled} messages before the timer`);
    await bus.drain();
    assertEquals(handled, 100);
  });

  test("knows its topics and what they carry", async (bus) => {
    const misspelt = "notise" as Topic;
    await assertRejects(
      () => bus.publish(misspelt, info("a")),
      Error,
      'publish: unknown topic "notise"; did you mean "notice"?',
    );
    assertThrows(() => bus.subscribe(misspelt, () => {}), Error, 'subscribe: unknown topic "notise"');
    await assertRejects(
      // @ts-expect-error: a notice has a text
      () => bus.publish("notice", { level: "info" }),
      Error,
      'publish: want what "notice" carries, got trouble at text: Invalid input: expected string',
    );
    const odd = { ...metrics(1), loss: "0.5" } as never;
    await assertRejects(() => bus.publish("step.metrics", odd), Error, "got trouble at loss: ");
    const more = { ...info("a"), stray: 1 } as never;
    await assertRejects(() => bus.publish("notice", more), Error, 'Unrecognized key: "stray"');
    await bus.publish("step.metrics", { ...metrics(1), loss: NaN, accuracy: -Infinity });
    assertEquals(bus.deadLetters(), []);
    // @ts-expect-error: a notice has no loss
    bus.subscribe("notice", ({ payload }) => payload.loss);
  });
}

function failureTests(test: Test): void {
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

  test("gives up a handler that does not end, and goes on with the next message", async (bus) => {
    const got: string[] = [], hung = Promise.withResolvers<void>();
    bus.subscribe("notice", ({ payload }) => {
      if (payload.text === "hangs") return hung.promise;
      got.push(payload.text);
    }, { capacity: 1, ackTimeoutMs: 3, retries: 1, backoffMs: 1 });
    for (const text of ["hangs", "a", "b"]) await bus.publish("notice", info(text));
    await bus.drain();
    hung.resolve();
    assertEquals(got, ["a", "b"]);
    assertEquals(bus.deadLetters().map(({ attempts, error }) => [attempts, error]), [
      [2, "the handler did not end within 3 ms"],
    ]);
  });

  test("takes any returned value for done", async (bus) => {
    let count = 0;
    bus.subscribe("notice", () => count++ as unknown as void);
    await bus.publish("notice", info("a"));
    await bus.drain();
    assertEquals([count, bus.stats()[0].delivered], [1, 1]);
  });
}

function endTests(test: Test): void {
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

  test("gives new subscribers new messages only", async (bus) => {
    await bus.publish("notice", info("a"));
    const got: string[] = [];
    bus.subscribe("notice", ({ payload }) => void got.push(payload.text));
    await bus.drain();
    assertEquals(got, []);
  });
}

function replayTests(test: Test): void {
  /** Publishes notices 1 to 5, with telemetry between them: sequence numbers 1, 3, 5, 7 and 9. */
  const publishFive = async (bus: Bus) => {
    for (let i = 1; i <= 5; i++) {
      await bus.publish("notice", info(`${i}`));
      await bus.publish("step.metrics", metrics(i));
    }
  };

  test("replays from a sequence number, then goes on with new messages", async (bus) => {
    await publishFive(bus);
    const got: [number, string][] = [];
    bus.subscribe("notice", ({ id, payload }) => void got.push([id, payload.text]), { from: 5 });
    bus.publish("notice", info("new"));
    await bus.drain();
    assertEquals(got, [[5, "3"], [7, "4"], [9, "5"], [11, "new"]]);
  });

  test("replays more than the queue holds, and blocks or drops only what comes after", async (bus) => {
    await publishFive(bus);
    const got: string[] = [], steps: number[] = [];
    bus.subscribe("notice", ({ payload }) => void got.push(payload.text), { from: "oldest", capacity: 1 });
    bus.subscribe("step.metrics", ({ payload }) => void steps.push(payload.step), { from: 1, capacity: 2 });
    const sent = bus.publish("notice", info("new"));
    await bus.drain();
    await sent;
    assertEquals(got, ["1", "2", "3", "4", "5", "new"]);
    assertEquals(steps, [1, 2, 3, 4, 5]);
  });

  test("lets one who failed in the middle go on where it stopped", async (bus) => {
    const got: number[] = [];
    const take = (limit: number) => ({ id }: Envelope) => {
      if (got.length < limit) got.push(id);
    };
    const stop = bus.subscribe("notice", take(2));
    await publishFive(bus);
    await bus.drain();
    stop();
    await bus.publish("notice", info("while away"));
    bus.subscribe("notice", take(100), { from: got.at(-1)! + 1 });
    await bus.publish("notice", info("back"));
    await bus.drain();
    assertEquals(got, [1, 3, 5, 7, 9, 11, 12]);
  });

  test("keeps the newest messages of each topic, and says what it keeps no longer", async (bus) => {
    await bus.publish("notice", info("first"));
    for (let i = 0; i < HISTORY + 1; i++) await bus.publish("step.metrics", metrics(i));
    const steps: number[] = [], texts: string[] = [];
    bus.subscribe("step.metrics", ({ payload }) => void steps.push(payload.step), { from: "oldest" });
    bus.subscribe("notice", ({ payload }) => void texts.push(payload.text), { from: 1 });
    await bus.drain();
    assertEquals(steps, Array.from({ length: HISTORY }, (_, i) => i + 1));
    assertEquals(texts, ["first"]);
    assertThrows(
      () => bus.subscribe("step.metrics", () => {}, { from: 2 }),
      Error,
      'subscribe: want "step.metrics" from 2 on, got a history that begins after 2; replay from "oldest" takes ' +
        "what is kept, and events.jsonl of a run has everything",
    );
  });

  test("refuses a sequence number that is none, or lies in the future", async (bus) => {
    await publishFive(bus);
    for (const from of [0, -1, 1.5, NaN, 12]) {
      assertThrows(
        () => bus.subscribe("notice", () => {}, { from }),
        Error,
        `subscribe: want a sequence number from 1 to 11 to replay "notice" from, got ${from}`,
      );
    }
    bus.subscribe("notice", () => {}, { from: 11 });
  });
}

/** How a subscriber may behave. */
const MANNERS: Readonly<Record<string, (stuck: Promise<void>) => (n: number) => void | Promise<void>>> = {
  throws: () => () => {
    throw new Error("no");
  },
  rejects: () => () => Promise.reject(new Error("no")),
  slow: () => () => new Promise((resolve) => setTimeout(resolve)),
  stuck: (stuck) => () => stuck,
  moody: () => (n) => {
    if (n % 3 === 0) throw new Error("not now");
  },
};

function isolationTests(
  test: Test,
  withBus: (body: (bus: Bus) => Promise<void>) => Promise<void>,
): void {
  const mannersOf = fc.array(fc.constantFrom(...Object.keys(MANNERS)), { maxLength: 4 });
  const around = fc.tuple(mannersOf, mannersOf);

  test("bad subscribers stall nobody else, and no control message is lost", async () => {
    await fc.assert(
      fc.asyncProperty(around, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 40 }), (
        [before, after],
        capacity,
        count,
      ) =>
        withBus(async (bus) => {
          const stuck = Promise.withResolvers<void>(), everything = Promise.withResolvers<void>();
          const got: string[] = [];
          const join = (manner: string) => {
            const handle = MANNERS[manner](stuck.promise);
            bus.subscribe("notice", ({ payload }) => handle(Number(payload.text)), {
              name: manner,
              capacity,
              retries: 1,
              backoffMs: 1,
            });
          };
          before.forEach(join);
          bus.subscribe("notice", ({ payload }) => {
            if (got.push(payload.text) === count) everything.resolve();
          }, { name: "good", capacity });
          after.forEach(join);
          const sent = Array.from({ length: count }, (_, i) => bus.publish("notice", info(`${i}`)));
          await everything.promise; // while the stuck ones still are
          assertEquals(got, Array.from({ length: count }, (_, i) => `${i}`));
          stuck.resolve();
          await Promise.all(sent);
          await bus.drain();
          for (const { subscription, delivered, dead, dropped, pending } of bus.stats()) {
            assertEquals([delivered + dead, dropped, pending], [count, 0, 0], subscription);
          }
        })),
      { numRuns: 40 },
    );
  });

  test("counts every message of telemetry as delivered, dropped or dead, and never waits", async () => {
    await fc.assert(
      fc.asyncProperty(around, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 40 }), (
        [before, after],
        capacity,
        count,
      ) =>
        withBus(async (bus) => {
          const stuck = Promise.withResolvers<void>();
          for (const manner of [...before, ...after]) {
            const handle = MANNERS[manner](stuck.promise);
            const options = { capacity, retries: 0 };
            bus.subscribe("step.metrics", ({ payload }) => handle(payload.step), options);
          }
          for (let step = 0; step < count; step++) await bus.publish("step.metrics", metrics(step));
          stuck.resolve();
          await bus.drain();
          for (const { delivered, dropped, dead, pending } of bus.stats()) {
            assertEquals([delivered + dropped + dead, pending], [count, 0]);
          }
        })),
      { numRuns: 40 },
    );
  });
}

function info(text: string) {
  return { level: "info" as const, text };
}

function metrics(step: number) {
  return { step, loss: 1, accuracy: 0.5, learningRate: 0.1, imagesPerSecond: 10, flops: 100 };
}

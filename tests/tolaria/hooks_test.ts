import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Hooks } from "../../src/tolaria/mod.ts";
import { callHooks, stoppingOnce } from "../../src/tolaria/mod.ts";
import { openShared } from "../support/devices.ts";
import { NEVER, openSession, signalWhen, tinyConfig } from "../support/session.ts";

/** Names and arguments of the hooks that were called. */
function recorder(): { calls: string[]; hooks: Hooks } {
  const calls: string[] = [];
  return {
    calls,
    hooks: {
      onStep: (step) => void calls.push(`step ${step}`),
      onTick: (tick) => void calls.push(`tick ${tick}`),
      onEpoch: (epoch) => void calls.push(`epoch ${epoch}`),
      onMutation: (edges) => void calls.push(...edges.map(({ from, to }) => `${from} to ${to}`)),
      onRollback: ({ diagnosis }) => void calls.push(`rollback: ${diagnosis}`),
      onStop: (outcome) => void calls.push(outcome),
    },
  };
}

Deno.test("hooks are called at every step, tick, epoch, mutation and at the end, in order", async () => {
  const gpu = (await openShared("native"))!;
  const config = tinyConfig("points", {
    // 208 examples are left to train on: 7 steps of 32 are a pass over them.
    train: { batch: 32 },
    loop: { controlBatches: 2 },
    controller: {
      kind: "fixed",
      schedule: [{ tick: 1, action: "germinate", slot: "layer1", blueprint: "mlp" }],
    },
  });
  const { calls, hooks } = recorder();
  const session = await openSession(gpu, config, null, [hooks]);
  await session.start(false);
  assertEquals(session.trainer.parts.examples.parts.train.count, 208);
  await session.trainer.run(signalWhen(() => session.trainer.progress.step === 9));
  await session.destroy();
  const steps = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, k) => `step ${from + k}`);
  assertEquals(calls, [
    ...steps(1, 4),
    "DORMANT to GERMINATED",
    "tick 1",
    ...steps(5, 7),
    "epoch 1",
    "step 8",
    "GERMINATED to TRAINING",
    "tick 2",
    "step 9",
    "interrupted",
  ]);
});

Deno.test("onEpoch() is called at the very step that ends an epoch, however many steps go off at once", async () => {
  const gpu = (await openShared("native"))!;
  const config = tinyConfig("points", {
    // 3 epochs in 16 steps; a reading of the metrics only every 64.
    train: { batch: 39, maxSteps: 16 },
    loop: { tickSteps: 64, metricsSteps: 64, controlBatches: 1 },
  });
  const at: number[][] = [];
  const session = await openSession(gpu, config, null, [{
    onEpoch: (epoch) => void at.push([epoch, session.trainer.progress.step]),
  }]);
  // As fast as a GPU, so that one submit would take all the steps.
  session.trainer.speedometer.stepsIn = () => 1000;
  await session.start(false);
  await session.trainer.run(NEVER);
  await session.destroy();
  assertEquals(at, [[1, 6], [2, 11], [3, 16]]);
});

Deno.test("hooks leave the bits of a run alone", async () => {
  const gpu = (await openShared("native"))!;
  const losses = async (hooks: readonly Hooks[]) => {
    const session = await openSession(gpu, tinyConfig("points", { train: { maxSteps: 12 } }), null, hooks);
    await session.start(false);
    await session.trainer.run(NEVER);
    const [values] = await session.trainer.parts.store.read();
    await session.destroy();
    return values;
  };
  const { calls, hooks } = recorder();
  assertEquals(await losses([hooks]), await losses([]));
  assert(calls.includes("step 12") && calls.at(-1) === "completed");
});

Deno.test("a hook hears of a rollback, and one that throws fails the run with its name", async () => {
  const gpu = (await openShared("native"))!;
  const config = tinyConfig("points", {
    train: { optimizer: { kind: "sgd" }, learningRate: { peak: 1e30 } },
  });
  const session = await openSession(gpu, config, null, [{
    name: "watchman",
    onRollback({ diagnosis }) {
      throw new RangeError(`heard of ${diagnosis}`);
    },
  }]);
  await session.start(false);
  const error = await assertRejects(() => session.trainer.run(NEVER), Error);
  assertEquals(
    error.message,
    "hook onRollback of watchman: want it to return, got RangeError: heard of not_finite; " +
      "mend it and go on with the last checkpoint",
  );
  assert(error.cause instanceof RangeError);
  await session.destroy();
});

const fails = () => Promise.reject(new Error("no more"));
const failing: { [K in Exclude<keyof Hooks, "name">]-?: Hooks } = {
  onStep: { onStep: fails },
  onTick: { onTick: fails },
  onEpoch: { onEpoch: fails },
  onMutation: { onMutation: fails },
  onRollback: { onRollback: fails },
  onStop: { onStop: fails },
};

for (const [name, hooks] of Object.entries(failing)) {
  Deno.test(`callHooks() names ${name} where it fails, and calls nobody after it`, async () => {
    const later: string[] = [];
    const everyone = [{}, hooks, { [name]: () => void later.push(name) }];
    await assertRejects(
      () => callHooks(everyone, name as keyof typeof failing, 1 as never),
      Error,
      `hook ${name}: want it to return, got Error: no more; mend it`,
    );
    assertEquals(later, []);
  });
}

Deno.test("stoppingOnce() lets each hear of the first stop alone, also where hearing of it fails", async () => {
  class Counter {
    readonly name = "counter";
    #stops = 0;
    steps = 0;
    onStep(step: number) {
      this.steps = step;
    }
    onStop() {
      if (++this.#stops > 1) throw new Error("stopped twice");
      throw new Error("stopped");
    }
  }
  const counter = new Counter(), heard: string[] = [];
  const hooks = stoppingOnce([counter, { onStop: (outcome) => void heard.push(outcome) }]);
  await callHooks(hooks, "onStep", 3);
  await assertRejects(
    () => callHooks(hooks, "onStop", "completed"),
    Error,
    "onStop of counter: want it to return, got Error: stopped;",
  );
  await callHooks(hooks, "onStop", "failed");
  await callHooks(hooks, "onStop", "failed");
  assertEquals([counter.steps, heard], [3, ["failed"]]);
});

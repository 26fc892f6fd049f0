import { assertEquals, assertRejects } from "@std/assert";
import { openShared } from "../support/devices.ts";
import { NEVER, openSession, signalWhen, tinyConfig } from "../support/session.ts";

Deno.test("hooks are called at every step, tick, mutation and at the end, in order", async () => {
  const gpu = (await openShared("native"))!;
  const config = tinyConfig("points", {
    controller: {
      kind: "fixed",
      schedule: [{ tick: 1, action: "germinate", slot: "layer1", blueprint: "mlp" }],
    },
  });
  const calls: string[] = [];
  const session = await openSession(gpu, config, null, [{
    onStep: (step) => void calls.push(`step ${step}`),
    onTick: (tick) => void calls.push(`tick ${tick}`),
    onMutation: (edges) => void calls.push(...edges.map(({ from, to }) => `${from} to ${to}`)),
    onStop: (outcome) => void calls.push(outcome),
  }]);
  await session.start(false);
  await session.trainer.run(signalWhen(() => session.trainer.progress.step === 9));
  await session.destroy();
  const steps = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, k) => `step ${from + k}`);
  assertEquals(calls, [
    ...steps(1, 4),
    "DORMANT to GERMINATED",
    "tick 1",
    ...steps(5, 8),
    "GERMINATED to TRAINING",
    "tick 2",
    "step 9",
    "interrupted",
  ]);
});

Deno.test("a hook hears of a rollback, and one that throws fails the run", async () => {
  const gpu = (await openShared("native"))!;
  const config = tinyConfig("points", {
    train: { optimizer: { kind: "sgd" }, learningRate: { peak: 1e30 } },
  });
  const session = await openSession(gpu, config, null, [{
    onRollback({ diagnosis }) {
      throw new Error(`heard of ${diagnosis}`);
    },
  }]);
  await session.start(false);
  await assertRejects(() => session.trainer.run(NEVER), Error, "heard of not_finite");
  await session.destroy();
});

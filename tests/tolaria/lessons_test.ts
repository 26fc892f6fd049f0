/** Ways in which training loops, governors and checkpoints went wrong before: each is shown not to. */
import { assert, assertEquals } from "@std/assert";
import { RunConfig } from "../../src/contracts/config.ts";
import { buildNetwork } from "../../src/app/network.ts";
import { createSession } from "../../src/app/session.ts";
import { createWorkshop } from "../../src/tezzeret/mod.ts";
import type { Hooks } from "../../src/tolaria/mod.ts";
import { openShared } from "../support/devices.ts";
import {
  NEVER,
  type OpenSession,
  openSession,
  signalWhen,
  tinyConfig,
  tinyData,
} from "../support/session.ts";
import { bitsOf } from "../support/store.ts";

async function withSession<T>(
  config: RunConfig,
  look: (session: OpenSession) => Promise<T>,
  hooks: readonly Hooks[] = [],
): Promise<T> {
  const session = await openSession((await openShared("native"))!, config, null, hooks);
  try {
    await session.start(false);
    return await look(session);
  } finally {
    await session.destroy();
  }
}

const sowing = (slot: string, blueprint: string) => ({
  kind: "fixed",
  schedule: [{ tick: 1, action: "germinate", slot, blueprint }],
});

/** What the host has come to after 16 steps, running statistics included, and the rates it learned at. */
const hostAfter = (controller: object) =>
  withSession(
    tinyConfig("images", {
      host: { norm: "batch" },
      train: { optimizer: { kind: "sgd" }, learningRate: { warmup: 1e-9, final: 0 }, budgetGflop: 0.2 },
      growth: { gates: { trainingTicks: 12 } },
      controller,
    }),
    async ({ trainer, events, bus }) => {
      await trainer.run(signalWhen(() => trainer.progress.step >= 16));
      await bus.drain();
      const bits = Object.entries(await bitsOf(trainer.parts.store));
      return {
        host: Object.fromEntries(bits.filter(([name]) => !name.startsWith("seed/"))),
        seeds: bits.length - bits.filter(([name]) => !name.startsWith("seed/")).length,
        rates: events.flatMap((event) => event.topic === "step.metrics" ? [event.payload.learningRate] : []),
      };
    },
  );

Deno.test("lessons 8 and 35: a seed in the shadow moves no running statistic, and the host learns at the rates it would have", async () => {
  const alone = await hostAfter({ kind: "off" }), beside = await hostAfter(sowing("block1", "se"));
  assert(beside.seeds > 0 && Object.keys(alone.host).some((name) => name.includes("statistics")));
  assertEquals(beside.host, alone.host);
  assertEquals(beside.rates, alone.rates);
  assert(new Set(alone.rates).size > 3, "the rate moves");
});

Deno.test("lesson 8: an evaluation moves no running statistic", () =>
  withSession(tinyConfig("images", { host: { norm: "batch" } }), async ({ trainer }) => {
    await trainer.run(signalWhen(() => trainer.progress.step >= 3));
    const before = await bitsOf(trainer.parts.store);
    await trainer.score("validation");
    assertEquals(await bitsOf(trainer.parts.store), before);
  }));

Deno.test("lesson 27: a state is trusted after its vital signs only, a rollback ends the tick, and moments come back", async () => {
  const config = tinyConfig("points", { train: { maxSteps: 24 } });
  const trusted = await withSession(config, async ({ trainer }) => {
    await trainer.run(signalWhen(() => trainer.progress.step >= 8));
    return await bitsOf(trainer.parts.store);
  });
  let broken = false;
  const heard: string[] = [];
  await withSession(config, async (session) => {
    const { trainer } = session, { store, controller } = trainer.parts;
    // The numbers break after the last step of the third tick: no loss of a step tells of it.
    const { decide } = controller, decided: number[] = [];
    controller.decide = (observation) => {
      decided.push(observation.tick);
      return decide.call(controller, observation);
    };
    const { submit } = trainer.evaluator.queue;
    trainer.evaluator.queue.submit = (steps) => {
      const { step, stepInTick } = trainer.progress;
      if (
        !broken && step === 12 && stepInTick === 4 && steps[0].step !== trainer.assembly.train.program.step
      ) {
        broken = true;
        store.set("head/bias", new Float32Array(3).fill(NaN));
      }
      submit.call(trainer.evaluator.queue, steps);
    };
    await trainer.run(signalWhen(() => trainer.governor.rollbacks === 1));
    assertEquals([trainer.progress.step, trainer.progress.tick, decided], [8, 2, [1, 2]]);
    assertEquals(await bitsOf(store), trusted);
    await session.bus.drain();
    const last = session.events.findLast((event) => event.topic === "governor.rollback")!;
    assert(last.payload.reason.startsWith("not_finite"), last.payload.reason);
    assertEquals(heard, ["tick 1", "tick 2", "rollback"]);
  }, [{
    onTick: (tick) => void heard.push(`tick ${tick}`),
    onRollback: () => void heard.push("rollback"),
  }]);
});

Deno.test("lesson 29: training sees no example of another part, decisions see control alone, and the test part stays shut", () =>
  withSession(tinyConfig("points", { train: { maxSteps: 20 } }), async ({ trainer }) => {
    const { examples } = trainer.parts, { stepValues } = examples;
    const seen = new Map<string, number>();
    examples.stepValues = (part, ...rest) => {
      seen.set(part, 1 + (seen.get(part) ?? 0));
      return stepValues.call(examples, part, ...rest);
    };
    assertEquals(await trainer.run(NEVER), "completed");
    assertEquals([...seen.keys()].sort(), ["control", "train"]);
    assertEquals(seen.get("train"), 20);
    const { train, control, validation, test } = examples.parts;
    assertEquals(train.count + control.count + validation.count + test.count, 400);
  }));

Deno.test("lesson 34: no step waits for a compiler, whatever it is doing", async () => {
  const gpu = (await openShared("native"))!,
    config = tinyConfig("points", { controller: sowing("layer2", "mlp") });
  const data = await tinyData(config), workshop = createWorkshop({ gpu });
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let asked = false;
  const session = createSession({
    config,
    gpu,
    data,
    network: buildNetwork(config, data.dataset.shape, data.dataset.classes.length),
    folder: null,
    onEvent() {},
    workshop: {
      ...workshop,
      async test(order) {
        asked = true;
        await released;
        return await workshop.test(order);
      },
    },
  });
  try {
    await session.start(false);
    // The seed is sown at step 4, and the network that holds it is due at step 8.
    await session.trainer.run(signalWhen(() => session.trainer.progress.step >= 7));
    assert(asked && session.trainer.progress.step === 7);
    release();
    await session.trainer.run(signalWhen(() => session.trainer.progress.step >= 9));
    assertEquals(Object.keys(session.trainer.assembly.topology), ["layer2"]);
  } finally {
    release();
    await session.destroy();
  }
});

Deno.test("lesson 39: the governor's limits stand where the design put them", () => {
  const { governor } = RunConfig.parse({
    data: { kind: "digits" },
    host: { kind: "cnn" },
    train: { budgetGflop: 1 },
  });
  const { enabled, lossRatio, lossDeviations, spikes, window, gradientRatio, watchTicks, maxRollbacks } =
    governor;
  assertEquals(
    { enabled, lossRatio, lossDeviations, spikes, window, gradientRatio, watchTicks, maxRollbacks },
    {
      ...{ enabled: true, lossRatio: 3, lossDeviations: 6, spikes: 2, window: 20 },
      ...{ gradientRatio: 20, watchTicks: 5, maxRollbacks: 3 },
    },
  );
});

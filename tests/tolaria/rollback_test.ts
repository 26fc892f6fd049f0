/** The governor at work: what breaks a run, what comes back, and what it costs. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { RunConfig } from "../../src/contracts/config.ts";
import type { Payloads } from "../../src/contracts/events.ts";
import { UserError } from "../../src/util/errors.ts";
import { openShared } from "../support/devices.ts";
import { edgesOf, NEVER, type OpenSession, openSession, signalWhen, tinyConfig } from "../support/session.ts";
import { bitsOf } from "../support/store.ts";

type Incubation = RunConfig["growth"]["incubation"];

/** Sows a blueprint in layer2 at these ticks; at α = 1 from birth where incubation is none. */
function sowing(
  blueprint: string,
  ticks: readonly number[],
  incubation: Incubation,
  governor = {},
): RunConfig {
  return tinyConfig("points", {
    growth: { incubation },
    governor: { minReadings: 3, ...governor },
    controller: {
      kind: "fixed",
      schedule: ticks.map((tick) => ({ tick, action: "germinate", slot: "layer2", blueprint })),
    },
  });
}

async function withSession(config: RunConfig, look: (session: OpenSession) => Promise<void>): Promise<void> {
  const gpu = (await openShared("native"))!;
  const before = gpu.allocator.liveBytes;
  const session = await openSession(gpu, config);
  try {
    await session.start(false);
    await look(session);
  } finally {
    await session.destroy();
  }
  assertEquals(gpu.allocator.liveBytes, before);
}

/** Bits of a run that never grows, after `step` steps. */
async function plainBits(step: number): Promise<Record<string, number[][]>> {
  let bits = {};
  await withSession(tinyConfig("points"), async ({ trainer }) => {
    await trainer.run(signalWhen(() => trainer.progress.step === step));
    bits = await bitsOf(trainer.parts.store);
  });
  return bits;
}

function rollbacksOf({ events }: OpenSession): Payloads["governor.rollback"][] {
  return events.flatMap((event) => event.topic === "governor.rollback" ? [event.payload] : []);
}

for (const [blueprint, diagnosis] of [["nan", "not_finite"], ["explode", "gradient_explosion"]] as const) {
  Deno.test(`a seed of ${blueprint} within the network is rolled back: every bit of the host, slot barred`, async () => {
    await withSession(sowing(blueprint, [3], "none"), async (session) => {
      const { trainer } = session, { lifecycle, store } = trainer.parts;
      const before = store.names;
      await trainer.run(signalWhen(() => trainer.governor.rollbacks === 1));
      await session.bus.drain();
      const [{ reason, step, restoredStep, slots, rollbacks }] = rollbacksOf(session);
      assert(reason.startsWith(`${diagnosis}: `), reason);
      assertEquals([slots, rollbacks], [["layer2"], 1]);
      assert(step > restoredStep && restoredStep % 4 === 0, `${step} to ${restoredStep}`);
      assertEquals(trainer.progress.step, restoredStep);
      assertEquals(await bitsOf(store), await plainBits(restoredStep));
      assertEquals(store.names, before);
      assertEquals(trainer.assembly.topology, {});
      const pruned = edgesOf(session).at(-1)!;
      assertEquals([pruned.to, pruned.reason, pruned.evidence.why], ["PRUNED", "governor", diagnosis]);
      assertEquals(lifecycle.alphaAt("layer2", 0), 0);

      await trainer.run(signalWhen(() => trainer.progress.step === restoredStep + 3));
      assertEquals(await bitsOf(store), await plainBits(restoredStep + 3));
    });
  });
}

Deno.test("a seed that was sown when the host broke is pruned before it ever ran", async () => {
  await withSession(sowing("mlp", [2], "shadow"), async (session) => {
    const { trainer } = session, { lifecycle, store } = trainer.parts;
    await trainer.run(signalWhen(() => trainer.progress.step === 9));
    assertEquals(lifecycle.stageOf("layer2"), "GERMINATED");
    store.set("head/bias", new Float32Array(3).fill(NaN));
    await trainer.run(signalWhen(() => trainer.governor.rollbacks === 1));
    await session.bus.drain();
    assertEquals(edgesOf(session).map(({ to, reason }) => `${to} ${reason}`), [
      "GERMINATED action",
      "PRUNED governor",
    ]);
    assertEquals(trainer.progress.step, 8);
    assertEquals(await bitsOf(store), await plainBits(8));
    await trainer.run(signalWhen(() => trainer.progress.tick === 6));
    assertEquals([lifecycle.stageOf("layer2"), await bitsOf(store)], ["DORMANT", await plainBits(24)]);
  });
});

for (
  const [recent, blamed] of [[true, ["layer1"]], [false, ["layer2"]]] as const
) {
  Deno.test(`a breakdown is blamed on ${recent ? "what changed within the watch window alone" : "all that lives where nothing changed of late"}`, async () => {
    const config = tinyConfig("points", {
      growth: { incubation: "none", gates: { trainingTicks: 20, trainingLimit: 20 } },
      governor: { watchTicks: 3 },
      controller: {
        kind: "fixed",
        schedule: [
          { tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" },
          ...recent ? [{ tick: 6, action: "germinate", slot: "layer1", blueprint: "affine" }] : [],
        ],
      },
    });
    await withSession(config, async (session) => {
      const { trainer } = session;
      await trainer.run(signalWhen(() => trainer.progress.step === 30));
      trainer.parts.store.set("head/bias", new Float32Array(3).fill(NaN));
      await trainer.run(signalWhen(() => trainer.governor.rollbacks === 1));
      await session.bus.drain();
      assertEquals(rollbacksOf(session).map(({ slots }) => slots), [[...blamed]]);
      assertEquals("layer2" in trainer.wanted, recent);
    });
  });
}

Deno.test("a rollback in the tick after a decision leaves a fossil a fossil", async () => {
  const config = tinyConfig("points", {
    controller: {
      kind: "fixed",
      schedule: [
        { tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" },
        { tick: 4, action: "advance", slot: "layer2" },
        { tick: 8, action: "fossilize", slot: "layer2" },
      ],
    },
  });
  await withSession(config, async (session) => {
    const { trainer } = session, { lifecycle, store } = trainer.parts;
    await trainer.run(signalWhen(() => lifecycle.stageOf("layer2") === "FOSSILIZED"));
    const { step } = trainer.progress, bits = await bitsOf(store);
    await trainer.run(signalWhen(() => trainer.progress.step === step + 1));
    store.set("head/bias", new Float32Array(3).fill(NaN));
    await trainer.run(signalWhen(() => trainer.governor.rollbacks === 1));
    await session.bus.drain();
    assertEquals(rollbacksOf(session)[0].slots, []);
    assertEquals([trainer.progress.step, lifecycle.stageOf("layer2")], [step, "FOSSILIZED"]);
    assertEquals(await bitsOf(store), bits);
    assertEquals(store.inGroup("seed/layer2/1"), []);
    assertEquals(await trainer.run(NEVER), "completed");
    await session.bus.drain();
    assertEquals(edgesOf(session).at(-1)!.to, "FOSSILIZED");
  });
});

Deno.test("a seed of nan in the shadow harms nothing and is pruned by its own gradient", async () => {
  await withSession(sowing("nan", [1], "shadow"), async (session) => {
    const { trainer } = session;
    await trainer.run(signalWhen(() => trainer.progress.step === 20));
    await session.bus.drain();
    assertEquals(rollbacksOf(session), []);
    const pruned = edgesOf(session).find(({ to }) => to === "PRUNED")!;
    assertEquals([pruned.from, pruned.reason, pruned.evidence], ["TRAINING", "not_finite", {
      gradNorm: "NaN",
    }]);
    assertEquals(await bitsOf(trainer.parts.store), await plainBits(20));
  });
});

Deno.test("a loss scale that is too large is no breakdown: updates are skipped until it fits", async () => {
  const config = tinyConfig("images", {
    train: { maxSteps: 40 },
    engine: { precision: "mixed", lossScale: { initial: 2 ** 24 } },
  });
  await withSession(config, async (session) => {
    assertEquals(await session.trainer.run(NEVER), "completed");
    await session.bus.drain();
    assertEquals(rollbacksOf(session), []);
    const metrics = session.events.flatMap(({ topic, payload }) => topic === "step.metrics" ? [payload] : []);
    const { lossScale, skippedUpdates } = metrics.at(-1)!;
    assert(skippedUpdates! > 0, "some updates were skipped");
    assertEquals(lossScale, 2 ** (24 - skippedUpdates!));
    assert(metrics.at(-1)!.loss < metrics[0].loss, "it learned");
  });
});

Deno.test("after its rollbacks the governor turns the controller off, and the host trains on", async () => {
  const config = sowing("nan", [1, 5, 9], "none", { maxRollbacks: 2 });
  await withSession(config, async (session) => {
    const { trainer } = session;
    assertEquals(await trainer.run(NEVER), "completed");
    await session.bus.drain();
    assertEquals(rollbacksOf(session).map(({ rollbacks }) => rollbacks), [1, 2]);
    const reports = session.events.filter((event) => event.topic === "tick.report");
    assertEquals(reports.at(-1)!.payload.decision.why, "the governor turned the controller off");
    const lives = Map.groupBy(edgesOf(session), ({ seed }) => seed);
    assertEquals([...lives.keys()], ["layer2/1", "layer2/2"]);
    for (const [seed, edges] of lives) {
      assertEquals(edges.map(({ from }) => from).slice(1), edges.map(({ to }) => to).slice(0, -1), seed);
      assertEquals(edges.find(({ to }) => to === "PRUNED")?.reason, "governor");
    }
    assertEquals(await bitsOf(trainer.parts.store), await plainBits(config.train.maxSteps!));
  });
});

Deno.test("a host that breaks by itself ends the run with one line of cause and cure", async () => {
  const config = tinyConfig("points", {
    train: { optimizer: { kind: "sgd" }, learningRate: { peak: 1e30 } },
  });
  await withSession(config, async ({ trainer }) => {
    const error = await assertRejects(() => trainer.run(NEVER), UserError);
    assert(
      /^training: not_finite at step \d+ \(NaN, limit Infinity\) after 4 rollbacks; lower train\.learningRate\.peak or set train\.optimizer\.clip$/
        .test(error.message),
      error.message,
    );
  });
});

Deno.test("a governor that is off lets a broken run go on", async () => {
  await withSession(sowing("nan", [1], "none", { enabled: false }), async (session) => {
    assertEquals(
      await session.trainer.run(signalWhen(() => session.trainer.progress.step === 20)),
      "interrupted",
    );
    await session.bus.drain();
    assertEquals(rollbacksOf(session), []);
    assert(Number.isNaN((await session.trainer.parts.store.get("head/bias"))[0]));
  });
});

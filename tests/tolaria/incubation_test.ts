/** Ways to incubate and to blend, each in a whole run. */
import { assert, assertEquals } from "@std/assert";
import type { RunConfig } from "../../src/contracts/config.ts";
import { openShared } from "../support/devices.ts";
import { edgesOf, type OpenSession, openSession, signalWhen, tinyConfig } from "../support/session.ts";
import { bitsOf } from "../support/store.ts";

const SCHEDULE = [
  { tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" },
  { tick: 5, action: "advance", slot: "layer2" },
] as const;

const configOf = (growth: object, controller: object = { kind: "fixed", schedule: SCHEDULE }): RunConfig =>
  tinyConfig("points", { growth, controller, train: { maxSteps: 100 } });

async function host({ trainer }: OpenSession) {
  const bits = await bitsOf(trainer.parts.store);
  return Object.fromEntries(Object.entries(bits).filter(([name]) => !name.startsWith("seed/")));
}

/** Bits of the host after sixteen steps, and whether a seed was in TRAINING then. */
async function afterTraining(config: RunConfig) {
  const session = await openSession((await openShared("native"))!, config);
  await session.start(false);
  await session.trainer.run(signalWhen(() => session.trainer.progress.step === 16));
  const { lifecycle, store } = session.trainer.parts;
  const gamma = store.names.find((name) => name.endsWith("/gamma"));
  const result = {
    bits: await host(session),
    stage: lifecycle.stageOf("layer2"),
    alpha: lifecycle.alphaAt("layer2", 0),
    learned: gamma ? (await store.get(gamma)).some((value) => value !== 0) : false,
  };
  await session.destroy();
  return result;
}

Deno.test("incubation none trains a seed within the network; ste and shadow leave the host's bits alone", async () => {
  const alone = await afterTraining(configOf({}, { kind: "off" }));
  for (const incubation of ["shadow", "ste", "none"] as const) {
    const beside = await afterTraining(configOf({ incubation }));
    const within = incubation === "none";
    assertEquals([beside.stage, beside.alpha, beside.learned], ["TRAINING", within ? 1 : 0, true]);
    assertEquals(JSON.stringify(beside.bits) === JSON.stringify(alone.bits), !within, incubation);
  }
});

Deno.test("a newborn begins with the scale, and learns at the rate, that it is told to", async () => {
  const gammaAfter = async (growth: object) => {
    const session = await openSession(
      (await openShared("native"))!,
      configOf({ incubation: "none", ...growth }),
    );
    const { trainer } = session, { store } = trainer.parts;
    await session.start(false);
    // The first step that has the seed in it.
    await trainer.run(
      signalWhen(() => Object.keys(trainer.progress.updates).some((name) => name.startsWith("seed/"))),
    );
    const gamma = await store.get(store.names.find((name) => name.endsWith("/gamma"))!);
    await session.destroy();
    return gamma;
  };
  const [plain, slow, born] = [
    await gammaAfter({}),
    await gammaAfter({ rateWarmup: 100 }),
    await gammaAfter({ birthScale: 0.25, rateRatio: 1e-6 }),
  ];
  assert(plain.some((value) => value !== 0));
  // From 0, without velocity, a first step is in proportion to the rate.
  slow.forEach((value, k) =>
    assert(Math.abs(value - plain[k] / 100) <= 1e-6 * Math.abs(plain[k]), `${value}`)
  );
  assert(born.every((value) => Math.abs(value - 0.25) < 1e-4), `${born}`);
});

for (const incubation of ["none", "ste"] as const) {
  Deno.test(`a run with incubation ${incubation}, interrupted twice, ends with the same bits`, async () => {
    const gpu = (await openShared("native"))!;
    const finish = async (stops: readonly number[]) => {
      const folder = await Deno.makeTempDir();
      try {
        for (const stop of [...stops, Infinity]) {
          const session = await openSession(gpu, configOf({ incubation }), folder);
          await session.start(true);
          const { trainer } = session;
          await trainer.run(signalWhen(() => trainer.progress.step >= Math.min(stop, 48)));
          const end = await bitsOf(trainer.parts.store);
          await session.destroy();
          if (stop === Infinity) return end;
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    };
    assertEquals(await finish([14, 23]), await finish([]));
  });
}

/** α half-way up a ramp of four ticks, by schedule. */
const CLIMBS = {
  linear: [0.25, 0.5, 0.75, 1],
  cosine: [0.1464, 0.5, 0.8536, 1],
  sigmoid: [0.0452, 0.5, 0.9548, 1],
  guarded: [0.25, 0.5, 0.75, 1],
} as const;

for (const schedule of ["linear", "cosine", "sigmoid", "guarded"] as const) {
  Deno.test(`a run blends a seed in by the schedule ${schedule}, and ends at exactly 1`, async () => {
    const session = await openSession(
      (await openShared("native"))!,
      configOf({ alpha: { schedule, ticks: 4 }, gates: { holdingLimit: 50 } }),
    );
    await session.start(false);
    await session.trainer.run(
      signalWhen(() =>
        session.trainer.parts.lifecycle.stageOf("layer2") === "HOLDING" ||
        session.trainer.progress.tick === 22
      ),
    );
    await session.bus.drain();
    const path = session.events.flatMap((event) =>
      event.topic === "tick.report" ? [event.payload.slots[1].alpha] : []
    );
    const climbed = [...new Set(path.filter((alpha) => alpha > 0))];
    assertEquals(climbed.length, 4);
    climbed.forEach((alpha, k) => assert(Math.abs(alpha - CLIMBS[schedule][k]) < 1e-3, `${climbed}`));
    assertEquals(climbed.at(-1), 1);
    assert(edgesOf(session).some(({ to, evidence }) => to === "HOLDING" && evidence.alpha === 1));
    await session.destroy();
  });
}

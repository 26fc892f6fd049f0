/** Faults put into a run: what the governor finds, and that the run is as good as before. */
import { assert, assertEquals } from "@std/assert";
import type { LoadedDataset } from "../../src/app/loaded_dataset.ts";
import type { RunConfig } from "../../src/contracts/config.ts";
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

const rollbacks = ({ events }: OpenSession) =>
  events.flatMap((event) => event.topic === "governor.rollback" ? [event.payload] : []);

async function withSession(
  config: RunConfig,
  look: (session: OpenSession) => Promise<void>,
  data?: LoadedDataset,
): Promise<void> {
  const session = await openSession((await openShared("native"))!, config, null, [], data);
  try {
    await session.start(false);
    await look(session);
  } finally {
    await session.destroy();
  }
}

const until = ({ trainer }: OpenSession, step: number) =>
  trainer.run(signalWhen(() => trainer.progress.step >= step));

/** Overwrites a parameter by what `change` makes of its numbers. */
async function tamper(
  { trainer: { parts: { store } } }: OpenSession,
  name: string,
  change: (x: number) => number,
) {
  store.set(name, (await store.get(name)).map(change));
}

interface Fault {
  readonly fault: string;
  readonly diagnosis: string;
  readonly config: RunConfig;
  /** Steps before the fault: within a tick, whose beginning is the state to come back. */
  readonly after: number;
  inject(session: OpenSession): Promise<void>;
}

const faults: readonly Fault[] = [
  {
    fault: "a gradient of NaN under a finite loss",
    diagnosis: "not_finite",
    config: tinyConfig("points"),
    after: 21,
    async inject(session) {
      // Every input of layer2 is positive, so that a weight of −∞ is cut to 0 by ReLU; backward it is 0 · ∞.
      await tamper(session, "layer1/bias", () => 10);
      const { store } = session.trainer.parts;
      const weights = await store.get("layer2/weight");
      weights[0] = -Infinity;
      for (let row = 1; row < 8; row++) weights[row * 8] = -1;
      store.set("layer2/weight", weights);
    },
  },
  {
    fault: "an exploding gradient",
    diagnosis: "gradient_explosion",
    config: tinyConfig("points"),
    after: 21,
    inject: (session) => tamper(session, "head/weight", (weight) => 1000 * weight),
  },
  {
    fault: "an exploding loss",
    diagnosis: "loss_spike",
    config: tinyConfig("points", { governor: { gradientRatio: 1e9 } }),
    after: 21,
    inject: (session) => tamper(session, "head/weight", (weight) => -1000 * weight),
  },
  {
    fault: "a collapse to chance",
    diagnosis: "collapse",
    config: tinyConfig("images", {
      train: { batch: 32, maxSteps: 90, learningRate: { peak: 0.05 } },
      governor: { gradientRatio: 1e9, lossRatio: 1e9, lossFloor: 0.01 },
      loop: { controlBatches: 1 },
    }),
    after: 61,
    inject: (session) => tamper(session, "head/weight", () => 0),
  },
];

for (const { fault, diagnosis, config, after, inject } of faults) {
  Deno.test(`${fault} is found as ${diagnosis}, and every bit of the state before it comes back`, async () => {
    let trusted = {};
    await withSession(config, async (session) => {
      await until(session, after - 1);
      trusted = await bitsOf(session.trainer.parts.store);
    });
    await withSession(config, async (session) => {
      const { trainer } = session;
      await until(session, after);
      assertEquals(rollbacks(session), []);
      await inject(session);
      await trainer.run(signalWhen(() => trainer.governor.rollbacks === 1));
      await session.bus.drain();
      const [{ reason, step, restoredStep, slots }] = rollbacks(session);
      assert(reason.startsWith(`${diagnosis}: `), reason);
      assertEquals([restoredStep, trainer.progress.step, slots], [after - 1, after - 1, []]);
      assert(step > after && step <= after + 8, `found at step ${step}`);
      assertEquals(await bitsOf(trainer.parts.store), trusted);
      assertEquals(await trainer.run(NEVER), "completed");
      assertEquals(trainer.governor.rollbacks, 1);
    });
  });
}

Deno.test("a poisoned batch is rolled back, and the run goes on over other batches", async () => {
  const config = tinyConfig("points", { train: { maxSteps: 16 } });
  const clean = await tinyData(config);
  const { train } = clean.dataset;
  const data = Float32Array.from(train.data);
  // An example of the third tick: found by its features, as splitting moves examples.
  let poisoned = -1;
  await withSession(config, async ({ trainer: { parts: { examples, gpu } }, trainer }) => {
    const positions: number[] = [];
    const { stepValues } = examples;
    examples.stepValues = (part, places, ...rest) => {
      if (part === "train") positions.push(places[0]);
      return stepValues.call(examples, part, places, ...rest);
    };
    await trainer.run(NEVER);
    const view = examples.memory({ kind: "resident", name: "examples" } as never)!;
    const { readFloats } = await import("../../src/engine/gpu/readback.ts");
    const features = await readFloats(gpu, view, view.size / 4);
    const [x, y] = features.subarray(2 * positions[9], 2 * positions[9] + 2);
    poisoned = train.labels.findIndex((_, i) => data[2 * i] === x && data[2 * i + 1] === y);
  });
  assert(poisoned >= 0);
  data[2 * poisoned] = Infinity;
  const bad = { ...clean, dataset: { ...clean.dataset, train: { ...train, data } } };
  await withSession(config, async (session) => {
    const { trainer } = session;
    assertEquals(await trainer.run(NEVER), "completed");
    await session.bus.drain();
    const [{ restoredStep, reason }, ...more] = rollbacks(session);
    assert(reason.startsWith("not_finite"), reason);
    assertEquals([restoredStep, more.length, trainer.progress.detours], [8, 0, 1]);
    const [values] = await trainer.parts.store.read();
    assert(values.every(Number.isFinite));
  }, bad);
});

/** Positions of the training examples of each step that is submitted, with the step. */
function followBatches({ trainer }: OpenSession): { step: number; places: string }[] {
  const batches: { step: number; places: string }[] = [];
  const { examples } = trainer.parts, { stepValues } = examples;
  examples.stepValues = (part, places, seed, step) => {
    if (part === "train") batches.push({ step, places: places.join() });
    return stepValues.call(examples, part, places, seed, step);
  };
  return batches;
}

Deno.test("a rollback with nobody to blame takes other batches from there on, and the same in every such run", async () => {
  const runs: string[][] = [];
  for (let run = 0; run < 2; run++) {
    await withSession(tinyConfig("points"), async (session) => {
      const batches = followBatches(session);
      await until(session, 9);
      session.trainer.parts.store.set("head/bias", new Float32Array(3).fill(NaN));
      await until(session, 24);
      assertEquals(session.trainer.progress.detours, 1);
      const at = (step: number) => batches.filter((batch) => batch.step === step).map(({ places }) => places);
      const [first, second] = at(9);
      assert(first !== second, "the step that broke is repeated over other examples");
      assertEquals(at(7).length, 1);
      runs.push(batches.map(({ step, places }) => `${step}: ${places}`));
    });
  }
  assertEquals(runs[0], runs[1]);
});

Deno.test("a rollback that prunes a seed repeats the batches that it takes back", async () => {
  const config = tinyConfig("points", {
    growth: { incubation: "none" },
    controller: {
      kind: "fixed",
      schedule: [{ tick: 1, action: "germinate", slot: "layer2", blueprint: "nan" }],
    },
  });
  await withSession(config, async (session) => {
    const batches = followBatches(session);
    await until(session, 24);
    assertEquals([session.trainer.governor.rollbacks, session.trainer.progress.detours], [1, 0]);
    const repeated = Map.groupBy(batches, ({ step }) => step).values().filter(({ length }) => length > 1)
      .toArray();
    assert(repeated.length > 0);
    for (const [first, ...again] of repeated) {
      for (const { places } of again) assertEquals(places, first.places);
    }
  });
});

/** What the recipe for speed adds to a run: slow weights, parts that freeze, views of the test images. */
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { buildNetwork } from "../../src/app/network.ts";
import { evaluate } from "../../src/engine/compile/reference.ts";
import { overViews } from "../../src/engine/data/views.ts";
import { full } from "../../src/engine/ops/elementwise.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import type { Trainer } from "../../src/tolaria/mod.ts";
import { onEachDevice, openShared } from "../support/devices.ts";
import { NEVER, openSession, tinyConfig, tinyData } from "../support/session.ts";
import { bitsOf } from "../support/store.ts";

const recipe = (changes: Record<string, unknown> = {}) =>
  tinyConfig("images", {
    data: { augment: { crop: 1, fill: "reflect", flip: "alternating" }, testViews: 6 },
    host: { kind: "airbench", channels: [8, 8] },
    train: {
      batch: 32,
      maxSteps: 33,
      budgetGflop: 1.2,
      labelSmoothing: 0.2,
      optimizer: { kind: "sgd", momentum: 0.85, weightDecay: 1e-3, lookahead: { every: 5, keep: 0.8 } },
      learningRate: { shape: "linear", peak: 0.5, initial: 0.2, warmup: 0.23, final: 0.07 },
      freeze: [{ part: "whiten", epochs: 3 }],
    },
    ...changes,
  });

async function trained<T>(
  gpu: Gpu,
  config: ReturnType<typeof recipe>,
  look: (trainer: Trainer) => Promise<T>,
) {
  const data = await tinyData(config);
  const augment = config.data.kind === "spirals" ? data.augment : config.data.augment;
  const session = await openSession(gpu, config, null, [], { ...data, augment });
  try {
    await session.start(false);
    await session.trainer.run(NEVER);
    return await look(session.trainer);
  } finally {
    await session.destroy();
  }
}

/** Values and slow values, by name, as bits. */
async function weightsAfter(gpu: Gpu, maxSteps: number) {
  const config = recipe();
  return await trained(gpu, { ...config, train: { ...config.train, maxSteps } }, async ({ parts }) => {
    const bits = await bitsOf(parts.store);
    return Object.fromEntries(Object.entries(bits).map(([name, [value, , slow]]) => [name, { value, slow }]));
  });
}

onEachDevice(
  "A run by the recipe learns, and six views of each test image give another score",
  async (gpu) => {
    // Mirrored, a quarter is another.
    const config = recipe({ data: { augment: { crop: 1, fill: "reflect", flip: false } } });
    await trained(gpu, config, async (trainer) => {
      const { clock } = trainer.ledger;
      assert(clock > 0.5 && clock < 1, `the budget is nearly spent, got ${clock}`);
      const plain = await trainer.score("test"), viewed = await trainer.score("test", "evaluation", 6);
      assert(plain.accuracy > 0.7, `four classes, got ${plain.accuracy}`);
      assert(
        viewed.loss > plain.loss,
        `mirrored ones are taken for others, got ${viewed.loss} and ${plain.loss}`,
      );
    });
  },
);

Deno.test("overViews() is the mean over the views, those that are moved counting half", () => {
  const seen: string[] = [];
  const [mean] = evaluate([overViews(6, (view) => {
    seen.push(view.join(" "));
    return full([1, 1], 10 ** seen.length);
  })], {});
  assertEquals(seen, ["0 0 0", "0 0 1", "-1 -1 0", "-1 -1 1", "1 1 0", "1 1 1"]);
  assertEquals(mean[0], (10 + 100) / 4 + (1000 + 10_000 + 100_000 + 1_000_000) / 8);
});

Deno.test("Slow weights and running averages meet the fast ones every few steps and at the end", async () => {
  const gpu = (await openShared("native"))!;
  const last = await weightsAfter(gpu, 13), later = await weightsAfter(gpu, 18);
  for (const [name, { value, slow }] of Object.entries(last)) assertEquals(slow, value, name);
  for (const name of ["head/weight", "block1/norm1/statistics"]) {
    assertNotEquals(last[name].slow, later[name].slow, name);
  }
  // 96 images in batches of 32: three epochs are nine steps, and slow weights meet at the tenth.
  for (const name of ["whiten/bias", "whiten/weight", "block1/norm1/scale"]) {
    assertEquals(last[name].value, later[name].value, `${name} is frozen or never changes`);
  }
  const [before, after] = [await weightsAfter(gpu, 8), await weightsAfter(gpu, 9)];
  assertNotEquals(before["whiten/bias"].value, after["whiten/bias"].value);
});

Deno.test("A part that is to freeze must be there", () => {
  const config = recipe();
  const wrong = { ...config, train: { ...config.train, freeze: [{ part: "stem", epochs: 1 }] } };
  assertThrows(
    () => buildNetwork(wrong, [8, 8, 3], 4),
    Error,
    'config: train.freeze.0.part: want what names of parameters begin with, got "stem"',
  );
});

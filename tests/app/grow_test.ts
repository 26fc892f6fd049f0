import { assertEquals, assertRejects } from "@std/assert";
import type { RunConfigInput } from "../../src/contracts/config.ts";
import {
  dense,
  grow,
  type GrowOptions,
  type GrowSettings,
  type HeuristicSettings,
  mlp,
  spirals,
} from "../../src/mod.ts";
import { UserError } from "../../src/util/errors.ts";
import { openShared } from "../support/devices.ts";

const data = await spirals(1, { classes: 2, count: 200, test: 40, noise: 0.02, turns: 0.5 });

/** Keys of the configuration's schema that `GrowSettings` should name and does not: with any, this file does not compile. */
type Unnamed =
  | Exclude<keyof RunConfigInput, keyof GrowSettings | "name" | "data" | "host" | "oona" | "urza">
  | MissingIn<"train" | "growth" | "governor" | "engine">
  | Exclude<MissingIn<"loop">, "checkpointTicks" | "keepCheckpoints">
  | Exclude<keyof Extract<RunConfigInput["controller"], { kind: "heuristic" }>, keyof HeuristicSettings>;
type MissingIn<S extends keyof RunConfigInput & keyof GrowSettings> = {
  [K in S]: Exclude<keyof NonNullable<RunConfigInput[K]>, keyof NonNullable<GrowSettings[K]>>;
}[S];
const everyKeyIsNamed: [Unnamed] extends [never] ? "each" : Unnamed = "each";

/** A few steps of a tiny network. */
async function growing(changes: Partial<GrowOptions> = {}, settings: Partial<GrowOptions["settings"]> = {}) {
  const gpu = (await openShared("native"))!;
  const before = gpu.allocator.liveBytes;
  try {
    return await grow({
      gpu,
      data,
      model: mlp([2], 2, [4]),
      settings: {
        train: { batch: 8, budgetGflop: 1, maxSteps: 12 },
        growth: { blueprints: ["affine"] },
        loop: { tickSteps: 4 },
        controller: { kind: "off" },
        split: { control: 20, validation: 20 },
        ...settings,
      },
      ...changes,
    });
  } finally {
    assertEquals(gpu.allocator.liveBytes, before);
  }
}

Deno.test("a program may set every key of the schema that concerns it", () =>
  assertEquals(everyKeyIsNamed, "each"));

Deno.test("grow() gives back the trained network, and no device memory is left behind", async () => {
  const { outcome, steps, weights, model, host, grown, seeds } = await growing();
  assertEquals([outcome, steps, seeds, model.input, host], ["completed", 12, [], [2], grown]);
  assertEquals(Object.entries(weights).map(([name, { shape, data }]) => [name, shape, data.length]), [
    ["layer1/weight", [2, 4], 8],
    ["layer1/bias", [4], 4],
    ["head/weight", [4, 2], 8],
    ["head/bias", [2], 2],
  ]);
});

Deno.test("grow() ends after the step in which its signal is aborted, and passes on hooks and events", async () => {
  const stop = new AbortController();
  const topics = new Set<string>();
  const { outcome, steps } = await growing({
    signal: stop.signal,
    hooks: [{
      onStep(step) {
        if (step === 6) stop.abort();
      },
    }],
    onEvent: ({ topic }) => void topics.add(topic),
  });
  assertEquals([outcome, steps, topics.has("tick.report")], ["interrupted", 6, true]);
});

Deno.test("grow() refuses what does not go together, with the cure", async () => {
  const cases: [Partial<GrowOptions>, Partial<GrowOptions["settings"]>, string][] = [
    [
      { model: mlp([3], 2, [4]) },
      {},
      "grow: want a network for examples [2] of 2 classes, as spirals has, got mlp 4 for [3] of 2; " +
      "change its input and classes",
    ],
    [{}, { train: { budgetGflop: -1 } }, "settings: train.budgetGflop: Too small: expected number to be >0"],
    [
      {},
      { growth: { blueprints: ["afine"] } },
      'config: growth.blueprints.0: want a blueprint, got "afine"; did you mean "affine"?',
    ],
    [
      { model: { ...mlp([2], 2, [4]), forward: (scope, x) => dense(scope, "head", x, 2) } },
      {},
      "0 slots matched",
    ],
  ];
  for (const [changes, settings, message] of cases) {
    await assertRejects(() => growing(changes, settings), UserError, message);
  }
});

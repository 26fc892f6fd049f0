import { assert, assertEquals, assertRejects } from "@std/assert";
import { createEpisodes, type Episodes } from "../../src/app/episodes.ts";
import { createTwins } from "../../src/app/twins.ts";
import type { RunConfig } from "../../src/contracts/config.ts";
import { type Controller, HeuristicConfig } from "../../src/contracts/control.ts";
import { RewardConfig } from "../../src/contracts/reward.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { createController, playEpisode } from "../../src/tamiyo/mod.ts";
import { createMemoryStore } from "../../src/urza/mod.ts";
import { UserError } from "../../src/util/errors.ts";
import { openShared } from "../support/devices.ts";
import { tinyConfig, tinyData } from "../support/session.ts";

const FREE = RewardConfig.parse({ rent: { params: 0, flops: 0 } });
/** Takes whatever may be taken, at once. */
const EAGER = HeuristicConfig.parse({
  kind: "heuristic",
  germinateFrom: 0,
  germinateUntil: 1,
  everyTicks: 1,
  confidence: 0,
});

const spirals = (changes: unknown) => tinyConfig("points", changes);

function episodesOf(
  gpu: Gpu,
  config: RunConfig,
  reward = FREE,
  decisions?: number,
  store = createMemoryStore(),
) {
  return createEpisodes({
    gpu,
    task: { name: "tiny", config, data: (seed) => tinyData({ ...config, seed }) },
    twins: createTwins(gpu, store),
    reward,
    store,
    ...decisions !== undefined && { decisions },
  });
}

/** Lets a controller decide one episode; the rewards that it was paid. */
async function play(episodes: Episodes, controller: Controller, seed: number): Promise<number[]> {
  return (await playEpisode(episodes, controller, seed)).steps.map(({ reward }) => reward);
}

/** Mean, and its standard error. */
function estimate(values: readonly number[]): { mean: number; se: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, se: Math.sqrt(variance / values.length) };
}

Deno.test("lesson 40, a merit that the empty policy has most of: doing nothing earns nothing at any tick; a curve is kept under the hash of all it depends on", async () => {
  const gpu = (await openShared("native"))!, store = createMemoryStore();
  const config = spirals({ train: { maxSteps: 24 } });
  const episodes = episodesOf(gpu, config, FREE, undefined, store);
  assertEquals(await play(episodes, createController({ kind: "off" }, 1), 1), Array(6).fill(0));
  const { score, loss, twinLoss, decisions, germinations, fossils } = episodes.summary!;
  assertEquals({ score, decisions, germinations, fossils }, {
    score: 0,
    decisions: 6,
    germinations: 0,
    fossils: {},
  });
  assertEquals(loss, twinLoss);

  const twins = createTwins(gpu, store), data = await tinyData(config);
  const kept = await twins.curveOf({ ...config, controller: EAGER }, data);
  assertEquals(kept.final, twinLoss);
  assertEquals((await store.listManifests("twin")).length, 1);
  await twins.curveOf({ ...config, seed: 2 }, data);
  assertEquals((await store.listManifests("twin")).length, 2);
  await episodes.close();
});

Deno.test("a fossil is scored on the network that remains: the placebo is not favoured, a seed with capacity is", async () => {
  const gpu = (await openShared("native"))!;
  const scoresWith = async (blueprint: string) => {
    const episodes = episodesOf(
      gpu,
      spirals({
        data: { count: 1200, split: { control: 200, validation: 300 } },
        train: { maxSteps: 360 },
        loop: { tickSteps: 24 },
        growth: { blueprints: [blueprint] },
      }),
    );
    const scores: number[] = [];
    for (const seed of [2, 3, 4]) {
      const rewards = await play(episodes, createController(EAGER, seed), seed);
      const { score, fossils, params } = episodes.summary!;
      assert(Object.values(fossils).includes(blueprint), JSON.stringify(episodes.summary));
      assert(params! > 123);
      assert(Math.abs(score! - rewards.reduce((sum, reward) => sum + reward, 0)) < 1e-6);
      scores.push(score!);
    }
    return estimate(scores);
  };
  const placebo = await scoresWith("affine"), useful = await scoresWith("mlp");
  assert(placebo.mean <= 3 * placebo.se, JSON.stringify(placebo));
  assert(useful.mean > 0.1 && useful.mean > placebo.mean, `${JSON.stringify({ placebo, useful })}`);
});

Deno.test("lesson 26, a rollback that erases what was earned: an episode that is cut off is truncated and has no score; one that the governor gives up counts as a blind guess", async () => {
  const gpu = (await openShared("native"))!;
  const cut = episodesOf(gpu, spirals({ train: { maxSteps: 24 } }), FREE, 3);
  assertEquals((await play(cut, createController({ kind: "off" }, 1), 1)).length, 3);
  assertEquals([cut.summary!.score, cut.summary!.decisions], [null, 3]);
  await assertRejects(async () => await cut.step(0), Error, "want reset before step");

  const seeds = spirals({
    train: { maxSteps: 60 },
    growth: { blueprints: ["nan"], incubation: "none" },
    governor: { maxRollbacks: 1 },
  });
  const broken = episodesOf(gpu, seeds);
  const rewards = await play(broken, createController(EAGER, 1), 1);
  const { rollbacks, broken: gaveUp, germinations, score, twinLoss } = broken.summary!;
  assert(rollbacks >= 1 && germinations >= 1, JSON.stringify(broken.summary));
  if (gaveUp) assertEquals(score, twinLoss - Math.log(3));
  assert(rewards.every(Number.isFinite));

  const none = episodesOf(gpu, spirals({ train: { maxSteps: 2 } }));
  await assertRejects(async () => await none.reset(1), UserError, "want a run with a tick in it");
  gpu.destroy();
});

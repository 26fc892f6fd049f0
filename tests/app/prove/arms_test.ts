import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { variantsOf } from "../../../src/app/prove/arms.ts";
import { configOf, type Job, jobName, needsOf, type Task } from "../../../src/app/prove/derive.ts";
import { checkProof } from "../../../src/app/prove/manifest.ts";
import { parseProof } from "../../../src/app/prove/proof_config.ts";
import { inOrder } from "../../../src/app/prove/schedule.ts";
import { buildNetwork } from "../../../src/app/network.ts";
import { type ArmResult, ARMS, type CompletedArm } from "../../../src/contracts/proof.ts";
import { UserError } from "../../../src/util/errors.ts";
import { tinyConfig } from "../../support/session.ts";

const HASH = "0".repeat(64), SCORE = { loss: 1, accuracy: 0.5 };
const { maxSteps: _, ...train } = tinyConfig("images").train;
const config = {
  ...tinyConfig("images", { growth: { blueprints: ["conv3", "se"] } }),
  train: { ...train, budgetGflop: 6 },
};
const proof = parseProof({
  task: { config: "fashion_mnist" },
  seeds: { first: 3, count: 2 },
  arms: [...ARMS],
  set: { random: ["controller.germinate=0.5"] },
});
const task: Task = { proof, config, input: [8, 8, 3], classes: 4 };

const grown = buildNetwork(
  { ...config, growth: { ...config.growth, planted: [{ slot: "block2", blueprint: "conv3" }] } },
  [8, 8, 3],
  4,
).host;

/** Runs of which the grown one took 300 steps and kept one seed, and all others took 400. */
function resultOf({ arm, seed }: Job): ArmResult {
  const size = { params: 1, flops: 1 };
  const kept = {
    tick: 9,
    step: 90,
    slot: "block2",
    blueprint: "conv3",
    from: "HOLDING",
    to: "FOSSILIZED",
  } as const;
  const outcome: CompletedArm = {
    ...{
      status: "completed",
      steps: arm === "heuristic" ? 300 : 400,
      flops: 6e9,
      weights: HASH,
      host: size,
      grown,
    },
    ...{ validation: SCORE, test: SCORE, curve: [], trace: [] },
    edges: [{ ...kept, to: "HOLDING", from: "BLENDING" }, kept],
    decisions: [{ tick: seed, action: "germinate", slot: "block2", blueprint: "conv3" }],
  };
  return { version: 1, arm, seed, config: HASH, data: HASH, manifest: HASH, outcome };
}

const of = (arm: Job["arm"], seed = 3, results: (job: Job) => ArmResult | undefined = resultOf) =>
  configOf({ arm, seed }, task, results);

Deno.test("every arm has a configuration, under its own name, with the seed, the data and the learning rate of all", async () => {
  for (const arm of ARMS) {
    const { name, seed, data, train: { learningRate } } = await of(arm);
    assertEquals({ name, seed, data, learningRate }, {
      ...{ name: `${arm}-s3`, seed: 3, data: config.data, learningRate: config.train.learningRate },
    });
  }
});

Deno.test("arms of equal FLOPs have the task's budget, those of equal steps a share of it", async () => {
  const shared: Partial<Record<string, number>> = { "host": 4.5, "static-epochs": 4.5 };
  for (const arm of ARMS) assertAlmostEquals((await of(arm)).train.budgetGflop, shared[arm] ?? 6, 1e-9, arm);
});

Deno.test("lesson 36, capacity that was not controlled for: static arms have the seeds that the grown run kept, and the widened host as many parameters", async () => {
  for (const arm of ["static-flops", "static-epochs"] as const) {
    const { growth, controller } = await of(arm);
    assertEquals([growth.planted, controller.kind], [[{ slot: "block2", blueprint: "conv3" }], "off"]);
  }
  const wide = await of("widened"), { params } = buildNetwork(wide, [8, 8, 3], 4).host;
  assert(Math.abs(params - grown.params) < 0.1 * grown.params, `${params} for ${grown.params}`);
  assertEquals(wide.growth.planted, []);
});

Deno.test("controllers are who their arms say, and the placebo can compute nothing", async () => {
  const kinds = {
    random: "random",
    heuristic: "heuristic",
    learned: "gnn",
    fixed: "fixed",
    placebo: "heuristic",
  } as const;
  for (const [arm, kind] of Object.entries(kinds)) {
    assertEquals((await of(arm as keyof typeof kinds)).controller.kind, kind);
  }
  assertEquals((await of("placebo")).growth.blueprints, ["affine"]);
  const random = (await of("random")).controller;
  assertEquals(random.kind === "random" && random.germinate, 0.5);
  const learned = (await of("learned")).controller;
  assert(learned.kind === "gnn" && learned.sha256?.length === 64);
  const fixed = (await of("fixed")).controller;
  assert(fixed.kind === "fixed" && typeof fixed.schedule !== "string");
  const sown = fixed.schedule.flatMap((entry) =>
    entry.action === "germinate" ? [`${entry.tick} ${entry.slot}`] : []
  );
  assertEquals(sown, ["13 block2", "25 block1"]);
});

Deno.test("the decisions of another seed are those of the next, and the last's are the first's", async () => {
  const ticks = async (seed: number) => {
    const { controller } = await of("other-seed", seed);
    return controller.kind === "fixed" && typeof controller.schedule !== "string" &&
      controller.schedule.map(({ tick }) => tick);
  };
  assertEquals([await ticks(3), await ticks(4)], [[4], [3]]);
  assertEquals(needsOf({ arm: "other-seed", seed: 4 }, task).map(jobName), ["heuristic-s3"]);
});

Deno.test("arms that are derived from a run that crashed fall back on the headroom check's topology, and on the whole budget", async () => {
  const crashed = (job: Job): ArmResult => ({
    ...resultOf(job),
    outcome: { status: "crashed", error: "NaN" },
  });
  const { growth, train } = await of("static-epochs", 3, crashed);
  assertEquals(growth.planted, [{ slot: "block1", blueprint: "conv3" }, {
    slot: "block2",
    blueprint: "conv3",
  }]);
  assertEquals(train.budgetGflop, 6);
  for (const arm of ARMS) assertEquals((await of(arm, 3, crashed)).seed, 3);
});

Deno.test("a variant is the arm that it is of, under a name of its own, with what the proof lays over it", async () => {
  const variants = {
    quick: { of: "heuristic", set: ["growth.rateRatio=4"] },
    chance: { of: "random", set: ["growth.maxLive=1"] },
  };
  const varied: Task = { ...task, proof: parseProof({ ...proof, variants }) };
  const [quick, chance] = await Promise.all(
    variantsOf(varied.proof).map((arm) => configOf({ arm, seed: 4 }, varied, resultOf)),
  );
  const plain = await of("heuristic", 4);
  assertEquals(quick, { ...plain, name: "variant-quick-s4", growth: { ...plain.growth, rateRatio: 4 } });
  assertEquals(chance.controller, (await of("random", 4)).controller);
  assertEquals([chance.growth.maxLive, varied.proof.variants.quick.of], [1, "heuristic"]);
});

Deno.test("checkProof() refuses what no arm could be compared under", () => {
  const good = { ...config, loop: { ...config.loop, validationTicks: 1 } };
  checkProof(proof, good);
  const overlap = { ...proof, headroom: { ...proof.headroom, first: 4 } };
  assertThrows(() => checkProof(overlap, good), UserError, "headroom.first: want seeds of its own");
  assertThrows(() => checkProof(proof, config), UserError, "loop.validationTicks: want 1 or more");
  const limited = { ...good, train: { ...good.train, maxSteps: 4 } };
  assertThrows(() => checkProof(proof, limited), UserError, "train.maxSteps: want none");
});

Deno.test("parseProof() names every problem with its path", () => {
  const error = assertThrows(() => parseProof({ task: { config: 3 }, arms: ["hosts"], level: 2 }), UserError);
  assertEquals(error.message.split("\n").map((line) => line.split(":")[1]), [
    " task.config",
    " arms.0",
    " level",
  ]);
});

Deno.test("inOrder() begins what is ready, in the order of the list, and no more than its lanes hold", async () => {
  const needs: Record<string, string[]> = { a: [], b: ["a"], c: [], d: ["b", "c"] };
  for (const lanes of [1, 2, 5]) {
    const log: string[] = [];
    let running = 0, most = 0;
    await inOrder(["d", "b", "a", "c"], lanes, (job) => needs[job], async (job) => {
      most = Math.max(most, ++running);
      for (let k = 0; k < 3; k++) await Promise.resolve();
      running--;
      log.push(job);
    });
    assert(most <= lanes);
    assertEquals(log.toSorted(), ["a", "b", "c", "d"]);
    for (const [job, before] of Object.entries(needs)) {
      for (const need of before) assert(log.indexOf(need) < log.indexOf(job), `${need} before ${job}`);
    }
  }
});

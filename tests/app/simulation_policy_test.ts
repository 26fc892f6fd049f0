/** What learning to decide comes to where the best that can be done is known. */
import { assert } from "@std/assert";
import { fitPolicy } from "../../src/app/policy_fitting.ts";
import { createSimulation } from "../../src/app/simulation.ts";
import { drawTasks } from "../../src/app/task_family.ts";
import type { Observation } from "../../src/contracts/control.ts";
import { PolicyTraining } from "../../src/contracts/policy_training.ts";
import { createController, playEpisode } from "../../src/tamiyo/mod.ts";
import { createActor } from "../../src/tamiyo/rl/actor.ts";
import { PolicyLearner } from "../../src/tamiyo/rl/policy_learner.ts";
import { playTrajectory, samplesOf } from "../../src/tamiyo/rl/rollout.ts";
import { findOptimum } from "../../src/tamiyo/simulator/optimum.ts";
import { openShared } from "../support/devices.ts";
import { createFlatPolicy } from "../tamiyo/flat_policy.ts";

const ITERATIONS = 50, EPISODES = 24;
/** Seeds of evaluations; no episode that is learned from has one of them. */
const EVALUATED = Array.from({ length: 10 }, (_, k) => 1_000_000 + k);

const config = PolicyTraining.parse({
  iterations: ITERATIONS,
  ppo: { learningRate: 3e-3, batch: 128, lambda: 0.9, targetKl: 1 },
});
const tasks = drawTasks("training", 4).map((task) => ({
  run: createSimulation(task),
  optimum: findOptimum(createSimulation(task, { noisy: false })).score,
}));

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean over tasks and seeds, in per cent: 0 is to do nothing, 100 the optimum. */
async function valueOf(
  play: (run: typeof tasks[0]["run"], seed: number) => unknown,
): Promise<number> {
  const values = [];
  for (const { run, optimum } of tasks) {
    for (const seed of EVALUATED) {
      await play(run, seed);
      values.push(100 * run.score! / optimum);
    }
  }
  return meanOf(values);
}

Deno.test("on simulated tasks PPO comes to 95 % of the optimum or more, and random decisions stay below 80 %", async () => {
  const random = await valueOf((run, seed) =>
    playEpisode(run, createController({ kind: "random", germinate: 0.2 }, seed), seed)
  );
  assert(random < 80, `random decisions come to ${random} %`);

  const slots = ["block1", "block2", "block3"];
  const blueprints = ["affine", "bottleneck", "conv3", "dwsep", "lowrank", "pointwise", "se"];
  const { floor, gradientClip, batch } = config.ppo;
  const options = { floor, gradientClip, batch, seed: 1 };
  const gpu = await openShared("native");
  const learner = new PolicyLearner<Observation>(gpu!, createFlatPolicy(slots, blueprints), options);
  const count = ({ legal }: Observation) => legal.length;
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const actor = createActor(learner.network, await learner.weights());
    const samples = [];
    for (let k = 0; k < EPISODES; k++) {
      const { run } = tasks[k % tasks.length];
      const played = await playTrajectory(run, actor, iteration * EPISODES + k, { floor, count });
      samples.push(
        ...samplesOf(played, { gamma: 1, lambda: config.ppo.lambda, scale: config.ppo.rewardScale }),
      );
    }
    await fitPolicy(learner, samples, config, iteration, 1 - iteration / ITERATIONS);
  }
  const actor = createActor(learner.network, await learner.weights());
  learner.destroy();
  const learned = await valueOf((run, seed) => {
    let observation = run.reset(seed);
    for (let ended = false; !ended;) {
      const { logits } = actor([observation]);
      const best = observation.legal.reduce((best, _, k) => logits[k] > logits[best] ? k : best, 0);
      ({ observation, terminated: ended } = run.step(best));
    }
  });
  assert(learned >= 95, `PPO comes to ${learned} %`);
});

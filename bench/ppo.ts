// Is PPO right? CartPole-v1 must be solved, MountainCar-v0 must fail (−200), as it does for everyone who explores by chance.
// `zoo` are the settings of SB3's zoo for CartPole (500 ± 0 after 100,000 steps, greedy), `cleanrl` those of CleanRL (475 or
// more over the last 100 episodes after 500,000 steps). Seeds share one device and take turns: one acts while another learns.
// A JSON line a seed, as it ends.
//
//   deno run -A bench/ppo.ts [--task cartpole|mountaincar] [--settings zoo|cleanrl] [--steps N] [--seed 1] [--seeds 5]
//     [--backend auto]
import { parseArgs } from "node:util";
import { openGpu } from "../src/app/adapters/open_gpu.ts";
import type { BackendChoice } from "../src/app/options.ts";
import { fitPolicy } from "../src/app/policy_fitting.ts";
import { PolicyTraining } from "../src/contracts/policy_training.ts";
import { createActor } from "../src/tamiyo/rl/actor.ts";
import { PolicyLearner, type Sample } from "../src/tamiyo/rl/policy_learner.ts";
import { chancesOf, samplesOf, type Transition } from "../src/tamiyo/rl/rollout.ts";
import { prng } from "../src/util/prng.ts";
import { cartPole, mountainCar } from "./support/control_tasks.ts";
import { densePolicy } from "./support/dense_policy.ts";

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    task: { type: "string", default: "cartpole" },
    settings: { type: "string", default: "zoo" },
    steps: { type: "string" },
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    backend: { type: "string", default: "auto" },
  },
});

const SETTINGS = {
  zoo: {
    ...{ environments: 8, length: 32, steps: 100_000 },
    ppo: { batch: 256, epochs: 20, gamma: 0.98, lambda: 0.8, learningRate: 1e-3, annealClip: true },
  },
  cleanrl: {
    ...{ environments: 4, length: 128, steps: 500_000 },
    ppo: {
      ...{ batch: 128, epochs: 4, gamma: 0.99, lambda: 0.95, learningRate: 2.5e-4 },
      ...{ entropy: 0.01, valueClip: 0.2 },
    },
  },
};
const TASKS = {
  cartpole: { create: cartPole, inputs: 4, actions: 2 },
  mountaincar: { create: mountainCar, inputs: 2, actions: 3 },
};
const settings = SETTINGS[options.settings as keyof typeof SETTINGS];
const task = TASKS[options.task as keyof typeof TASKS];
const total = Number(options.steps ?? settings.steps);
const gpu = await openGpu(options.backend as BackendChoice);

/** Trains with one seed; the mean of the last 100 returns, and of 20 greedy episodes. */
async function train(seed: number): Promise<{ training: number; greedy: number }> {
  const { ppo } = PolicyTraining.parse({
    ppo: {
      ...settings.ppo,
      floor: 0,
      rewardScale: 1,
      targetKl: null,
      clip: 0.2,
      gradientClip: 0.5,
      value: 0.5,
    },
  });
  const network = densePolicy(task.inputs, task.actions);
  const learner = new PolicyLearner(gpu, network, { ...ppo, seed });
  const lanes = await Promise.all(Array.from({ length: settings.environments }, async (_, k) => {
    const environment = task.create();
    const piece: Transition<readonly number[]>[] = [];
    return { environment, next: k, seen: await environment.reset(seed * 1_000_000 + k), paid: 0, piece };
  }));
  const returns: number[] = [], iterations = Math.ceil(total / settings.environments / settings.length);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const actor = createActor(network, await learner.weights()), random = prng(seed, `ppo.${iteration}`);
    const samples: Sample<readonly number[]>[] = [];
    const close = (lane: typeof lanes[0], bootstrap: number) => {
      samples.push(...samplesOf({ transitions: lane.piece, bootstrap, return: 0 }, { ...ppo, scale: 1 }));
      lane.piece = [];
    };
    for (let step = 0; step < settings.length; step++) {
      const { logits, values } = actor(lanes.map(({ seen }) => seen)), last = step === settings.length - 1;
      // Copies: the next call overwrites what this one gave.
      const scores = Array.from(logits), worth = Array.from(values);
      for (const [k, lane] of lanes.entries()) {
        const chances = chancesOf(scores.slice(k * task.actions, (k + 1) * task.actions), task.actions, 0);
        let left = random.uniform();
        const action = Math.max(0, chances.findIndex((chance) => (left -= chance) < 0));
        const { observation, reward, terminated, truncated } = await lane.environment.step(action);
        const logProbability = Math.log(chances[action]);
        lane.piece.push({ observation: lane.seen, action, reward, logProbability, value: worth[k] });
        lane.paid += reward;
        lane.seen = observation;
        const ended = terminated || truncated;
        if (ended || last) close(lane, terminated ? 0 : actor([observation]).values[0]);
        if (!ended) continue;
        returns.push(lane.paid);
        lane.next += settings.environments;
        lane.paid = 0;
        lane.seen = await lane.environment.reset(seed * 1_000_000 + lane.next);
      }
    }
    await fitPolicy(learner, samples, { ppo, seed }, iteration, 1 - iteration / iterations);
  }
  const actor = createActor(network, await learner.weights());
  let greedy = 0;
  for (let episode = 0; episode < 20; episode++) {
    const environment = task.create();
    let seen = await environment.reset(900_000_000 + episode);
    for (;;) {
      const logits = Array.from(actor([seen]).logits);
      const step = await environment.step(logits.indexOf(Math.max(...logits.slice(0, task.actions))));
      greedy += step.reward / 20;
      seen = step.observation;
      if (step.terminated || step.truncated) break;
    }
  }
  learner.destroy();
  const last = returns.slice(-100);
  return { training: last.reduce((sum, value) => sum + value, 0) / Math.max(1, last.length), greedy };
}

const first = Number(options.seed), started = performance.now();
await Promise.all(Array.from({ length: Number(options.seeds) }, async (_, k) => {
  const seed = first + k, { training, greedy } = await train(seed);
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const { description: device, backend } = gpu.adapter;
  const line = { task: options.task, settings: options.settings, steps: total, seed };
  const scores = { training: Math.round(100 * training) / 100, greedy: Math.round(100 * greedy) / 100 };
  console.log(JSON.stringify({ ...line, ...scores, seconds, device, backend }));
}));
gpu.destroy();

/** Environments of which each needs one thing more than the last to be right; all within 1,000 steps. */
import { assert, assertAlmostEquals } from "@std/assert";
import { cartPole, mountainCar } from "../../bench/support/control_tasks.ts";
import { densePolicy } from "../../bench/support/dense_policy.ts";
import { fitPolicy } from "../../src/app/policy_fitting.ts";
import { PolicyTraining } from "../../src/contracts/policy_training.ts";
import type { Environment } from "../../src/tamiyo/mod.ts";
import { createActor } from "../../src/tamiyo/rl/actor.ts";
import { PolicyLearner } from "../../src/tamiyo/rl/policy_learner.ts";
import { chancesOf, playTrajectory, samplesOf } from "../../src/tamiyo/rl/rollout.ts";
import { prng } from "../../src/util/prng.ts";
import { openShared } from "../support/devices.ts";

type Seen = readonly number[];

const { ppo } = PolicyTraining.parse({
  ppo: { learningRate: 0.01, batch: 64, epochs: 4, gamma: 0.5, rewardScale: 1, floor: 0, targetKl: null },
});

/** Plays 960 steps, 64 at a time, and learns from them; what is then thought of `seen`. */
async function learned(environment: Environment<Seen>, steps: number) {
  const network = densePolicy(1, 2, 16);
  const learner = new PolicyLearner((await openShared("native"))!, network, { ...ppo, seed: 3 });
  for (let iteration = 0; iteration < 15; iteration++) {
    const actor = createActor(network, await learner.weights()), samples = [];
    for (let episode = 0; episode < 64 / steps; episode++) {
      const seed = 1000 * iteration + episode;
      const trajectory = await playTrajectory(environment, actor, seed, { floor: 0, count: () => 2 });
      samples.push(...samplesOf(trajectory, { ...ppo, scale: 1 }));
    }
    await fitPolicy(learner, samples, { ppo, seed: 3 }, iteration, 1);
  }
  const actor = createActor(network, await learner.weights());
  learner.destroy();
  return (seen: number) => {
    const { logits, values } = actor([[seen]]);
    return { value: values[0], chances: chancesOf(logits, 2, 0) };
  };
}

/** One step; pays what `pays` says of sight and action. */
function once(pays: (seen: number, action: number) => number): Environment<Seen> {
  let seen = 0;
  return {
    reset(seed) {
      seen = 2 * prng(seed, "probe").below(2) - 1;
      return [seen];
    },
    step: (action) => ({ observation: [0], reward: pays(seen, action), terminated: true, truncated: false }),
  };
}

Deno.test("a reward that is always the same is what is expected", async () => {
  const think = await learned(once(() => 1), 1);
  for (const seen of [-1, 1]) assertAlmostEquals(think(seen).value, 1, 0.1);
});

Deno.test("lesson 21, values of actions as a baseline: a reward that depends on what is seen is expected where it is seen, one of the action is sought", async () => {
  const think = await learned(once((seen, action) => seen + 2 * action), 1);
  for (const seen of [-1, 1]) {
    assert(think(seen).chances[1] > 0.9, `${think(seen).chances}`);
    assertAlmostEquals(think(seen).value, seen + 2, 0.4);
  }
});

Deno.test("what to do can depend on what is seen", async () => {
  const think = await learned(once((seen, action) => seen === 2 * action - 1 ? 1 : 0), 1);
  assert(think(-1).chances[0] > 0.9 && think(1).chances[1] > 0.9);
});

Deno.test("what pays a step later is worth γ now, and its cause is found", async () => {
  let at = 0, first = 0;
  const delayed: Environment<Seen> = {
    reset: () => [at = 0],
    step(action) {
      if (at === 0) first = action;
      const reward = at === 1 && first === 1 ? 1 : 0;
      return { observation: [++at], reward, terminated: at === 2, truncated: false };
    },
  };
  const think = await learned(delayed, 2);
  assert(think(0).chances[1] > 0.9, `${think(0).chances}`);
  assertAlmostEquals(think(0).value, 0.5, 0.15);
  assertAlmostEquals(think(1).value, 1, 0.2);
  (await openShared("native"))!.destroy();
});

Deno.test("CartPole and MountainCar are Gymnasium's: their first steps, and how they end", () => {
  const pole = cartPole();
  pole.reset(1);
  let steps = 0, last;
  do last = pole.step(1) as { terminated: boolean }; while (++steps < 500 && !last.terminated);
  assert(steps >= 8 && steps <= 11, `pushed one way the pole falls within 8 to 11 steps, not ${steps}`);

  const car = mountainCar(), [x] = car.reset(4) as Seen;
  const { observation: [x1, v1], reward } = car.step(2) as { observation: Seen; reward: number };
  assertAlmostEquals(v1, 0.001 - 0.0025 * Math.cos(3 * x), 1e-12);
  assertAlmostEquals(x1, x + v1, 1e-12);
  assert(reward === -1);
  let v = v1, taken = 1;
  for (;; taken++) {
    // Pushing the way it rolls is how it gets out.
    const step = car.step(v >= 0 ? 2 : 0) as { observation: Seen; terminated: boolean; truncated: boolean };
    v = step.observation[1];
    if (step.terminated) break;
    assert(!step.truncated);
  }
  assert(taken < 150);
});

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { stepInput } from "../../src/engine/graph/tensor.ts";
import { dense } from "../../src/engine/nn/layers.ts";
import { tanh } from "../../src/engine/ops/elementwise.ts";
import { reshape } from "../../src/engine/ops/shape.ts";
import { fitPolicy, imitate, weighed } from "../../src/app/policy_fitting.ts";
import { PolicyTraining } from "../../src/contracts/policy_training.ts";
import { createActor } from "../../src/tamiyo/rl/actor.ts";
import { PolicyLearner, type Sample, type UpdateRule } from "../../src/tamiyo/rl/policy_learner.ts";
import { chancesOf } from "../../src/tamiyo/rl/rollout.ts";
import type { PolicyNetwork } from "../../src/tamiyo/rl/types.ts";
import { openShared } from "../support/devices.ts";

/** Two numbers, and how many of three actions are legal. */
interface Seen {
  readonly x: readonly [number, number];
  readonly legal: number;
}

const ACTIONS = 3;

function toyNetwork(): PolicyNetwork<Seen> {
  return {
    name: "toy",
    shapeFor: (seen) => ({ batch: Math.max(1, seen.length), actions: ACTIONS }),
    forward(scope, { batch, actions }) {
      const hidden = tanh(dense(scope, "hidden", stepInput("x", [batch, 2]), 8));
      return {
        logits: dense(scope, "score", hidden, actions),
        mask: stepInput("mask", [batch, actions]),
        values: reshape(dense(scope, "value", hidden, 1), [batch]),
      };
    },
    encode(seen, { batch, actions }) {
      const x = new Float32Array(2 * batch), mask = new Float32Array(batch * actions);
      for (let k = 0; k < batch; k++) {
        x.set(seen[k]?.x ?? [0, 0], 2 * k);
        for (let a = 0; a < (seen[k]?.legal ?? 1); a++) mask[k * actions + a] = 1;
      }
      return { x, mask };
    },
  };
}

const OPTIONS = { floor: 0.1, gradientClip: 10, batch: 8, seed: 5 };
const sample = (changes: Partial<Sample<Seen>> = {}): Sample<Seen> => ({
  observation: { x: [0.5, -1], legal: 2 },
  ...{ action: 1, logProbability: Math.log(0.5), advantage: 1, value: 0, return: 0 },
  ...changes,
});

const newLearner = async (seed = 5) =>
  new PolicyLearner((await openShared("native"))!, toyNetwork(), { ...OPTIONS, seed });

/** Chances of the legal actions and the value, as the policy acts by them. */
async function judged(
  learner: PolicyLearner<Seen>,
  seen: Seen,
): Promise<{ chances: number[]; value: number }> {
  const { logits, values } = createActor(learner.network, await learner.weights())([seen]);
  return { chances: chancesOf(logits, seen.legal, OPTIONS.floor), value: values[0] };
}

const RULE: UpdateRule = {
  ...{ learningRate: 0.01, clip: 0.2, valueClip: null },
  ...{ surrogate: 0, imitation: 0, value: 0, entropy: 0 },
};
const SURROGATE = { ...RULE, surrogate: 1 };

Deno.test("an update sees the probabilities and values that the policy acts by, floor and mask included", async () => {
  const learner = await newLearner();
  const samples = [
    sample(),
    sample({ observation: { x: [2, 1], legal: 3 }, action: 2 }),
    sample({ observation: { x: [0, 0], legal: 1 }, action: 0 }),
  ];
  const want = [];
  for (const { observation } of samples) want.push(await judged(learner, observation));
  const [{ logProbabilities, values }] = await learner.update([samples], { ...SURROGATE, learningRate: 0 });
  assertEquals([logProbabilities.length, values.length], [3, 3]);
  for (const [k, { action }] of samples.entries()) {
    assertAlmostEquals(logProbabilities[k], Math.log(want[k].chances[action]), 1e-4);
    assertAlmostEquals(values[k], want[k].value, 1e-4);
  }
  await assertRejects(
    () => learner.update([[]], SURROGATE),
    RangeError,
    "want 1 to 8 samples in an update, got 0",
  );
  learner.destroy();
});

Deno.test("the surrogate moves an action by its advantage's sign, and not where the ratio is clipped", async () => {
  const moved = async (changes: (probability: number) => Partial<Sample<Seen>>) => {
    const learner = await newLearner();
    const { observation, action } = sample();
    const before = (await judged(learner, observation)).chances[action];
    await learner.update([[sample(changes(before))]], SURROGATE);
    const after = (await judged(learner, observation)).chances[action];
    learner.destroy();
    return after - before;
  };
  const old = (ratio: number) => (now: number) => ({ logProbability: Math.log(now / ratio) });
  assert(await moved((now) => ({ ...old(1)(now), advantage: 1 })) > 1e-3);
  assert(await moved((now) => ({ ...old(1)(now), advantage: -1 })) < -1e-3);
  assertEquals(await moved((now) => ({ ...old(1.3)(now), advantage: 1 })), 0);
  assertEquals(await moved((now) => ({ ...old(0.7)(now), advantage: -1 })), 0);
  // Wrong side of the clip: it moves back.
  assert(await moved((now) => ({ ...old(1.3)(now), advantage: -1 })) < -1e-3);
  assert(await moved((now) => ({ ...old(0.7)(now), advantage: 1 })) > 1e-3);
});

Deno.test("lesson 20, values that collapse: they come to what followed, while imitation makes what was done likely where it was done", async () => {
  const learner = await newLearner();
  const samples = [
    sample({ observation: { x: [1, 0], legal: 3 }, action: 2, return: 2 }),
    sample({ observation: { x: [-1, 0], legal: 3 }, action: 0, return: -1 }),
  ];
  for (let k = 0; k < 80; k++) {
    await learner.update([samples], { ...RULE, learningRate: 0.03, imitation: 1, value: 0.5 });
  }
  for (const { observation, action, return: target } of samples) {
    const { chances, value } = await judged(learner, observation);
    assert(chances[action] > 0.85, chances.join());
    assertAlmostEquals(value, target, 0.2);
  }
  learner.destroy();
});

Deno.test("a value that has moved far enough is not drawn further, only back; entropy evens chances out", async () => {
  const { observation } = sample();
  const moved = async (further: number, rule: Partial<UpdateRule>) => {
    const learner = await newLearner(), before = await judged(learner, observation);
    const at = { value: before.value - 1, return: before.value + further };
    await learner.update([[sample(at)]], { ...RULE, ...rule });
    const after = await judged(learner, observation);
    learner.destroy();
    return { value: after.value - before.value, even: after.chances[1] - before.chances[1], before };
  };
  assertEquals((await moved(5, { value: 1, valueClip: 0.2 })).value, 0);
  assert((await moved(5, { value: 1, valueClip: 2 })).value > 1e-3);
  assert((await moved(5, { value: 1 })).value > 1e-3);
  assert((await moved(-5, { value: 1, valueClip: 0.2 })).value < -1e-3);
  const { even, before } = await moved(0, { entropy: 1 });
  assert(even * (before.chances[1] - 0.5) < -1e-5, `${before.chances} by ${even}`);
});

Deno.test("clipping falls with what is left, where it is to", async () => {
  const learner = await newLearner(), { observation, action } = sample();
  const now = (await judged(learner, observation)).chances[action];
  const far = sample({ logProbability: Math.log(now / 1.15) });
  const clipped = async (annealClip: boolean) => {
    const { ppo } = PolicyTraining.parse({
      ppo: { annealClip, clip: 0.2, learningRate: 1e-12, batch: 8, targetKl: null },
    });
    return (await fitPolicy(learner, [far, far], { ppo, seed: 1 }, 0, 0.5)).clipped;
  };
  assertEquals([await clipped(false), await clipped(true)], [0, 1]);
  learner.destroy();
});

Deno.test("advantage-weighted regression makes likely what was better than expected, cloning whatever was done", async () => {
  const { ppo } = PolicyTraining.parse({ ppo: { batch: 8, value: 0 } });
  const samples = [0, 1].flatMap((action) =>
    [0, 1].map((k) => sample({ action, advantage: 10 * (action === 1 ? 1 : -1) + k }))
  );
  const weights = weighed(samples, 1).map(({ weight }) => weight!);
  assert(weights.every((weight, k) => weight > 0 && weight <= 20 && weight > 1 === samples[k].action > 0));
  assertEquals(weighed([sample({ advantage: 1e3 }), ...samples], 0.01)[0].weight, 20);
  const gain = async (temperature: number | null) => {
    const learner = await newLearner(), { observation } = sample();
    const before = (await judged(learner, observation)).chances[1];
    const passes = { label: "test", epochs: 20, learningRate: 0.01 };
    const fit = await imitate(learner, weighed(samples, temperature), { ppo, seed: 1 }, passes);
    assertEquals(fit.samples, 4);
    const after = (await judged(learner, observation)).chances[1];
    learner.destroy();
    return [before, after];
  };
  const [before, after] = await gain(1), [, cloned] = await gain(null);
  assert(after > before && after > 0.7, `${before} to ${after}`);
  assert(Math.abs(cloned - 0.5) <= Math.abs(before - 0.5) + 0.02, `${before} to ${cloned}`);
});

Deno.test("updates in one go are those one after another, to the bit", async () => {
  const batches = [[sample(), sample({ action: 0 })], [sample({ advantage: -2, return: 3 })]];
  const rule = { ...SURROGATE, value: 0.5 };
  const together = await newLearner(), apart = await newLearner();
  const reports = await together.update(batches, rule);
  const [first] = await apart.update([batches[0]], rule), [second] = await apart.update([batches[1]], rule);
  assertEquals(reports, [first, second]);
  assertEquals(await together.weights(), await apart.weights());
  together.destroy();
  apart.destroy();
});

Deno.test("a learner goes on from what it saved with the same bits", async () => {
  const rule = { ...RULE, learningRate: 0.02, surrogate: 1, imitation: 0.5, value: 0.5 };
  const first = await newLearner(), second = await newLearner(6);
  await first.update([[sample(), sample({ action: 0 })]], rule);
  second.restore(first.save(), await first.numbers());
  for (const learner of [first, second]) {
    await learner.update([[sample({ advantage: -2 })]], rule);
  }
  assertEquals(await second.weights(), await first.weights());
  first.destroy();
  second.destroy();
  (await openShared("native"))!.destroy();
});

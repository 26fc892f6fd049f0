import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { Environment } from "../../src/tamiyo/mod.ts";
import { chancesOf, playTrajectory, samplesOf, type Trajectory } from "../../src/tamiyo/rl/rollout.ts";

const step = (reward: number, value: number) => ({
  observation: 0,
  action: 1,
  reward,
  logProbability: -1,
  value,
});
const trajectory = (bootstrap: number): Trajectory<number> => ({
  transitions: [step(1, 0.5), step(0, 1), step(2, -1)],
  bootstrap,
  return: 3,
});

Deno.test("samplesOf() are the generalised advantages of a hand example, its end and its cut-off told apart", () => {
  const rule = { gamma: 0.9, lambda: 0.5, scale: 1 };
  // δ3 = 2 + 0.9·b + 1, δ2 = 0 − 0.9 − 1, δ1 = 1 + 0.9 − 0.5
  for (const [bootstrap, last] of [[0, 3], [4, 6.6]]) {
    const want = [1.4 + 0.45 * (-1.9 + 0.45 * last), -1.9 + 0.45 * last, last];
    const samples = samplesOf(trajectory(bootstrap), rule);
    samples.forEach(({ advantage, return: target }, k) => {
      assertAlmostEquals(advantage, want[k], 1e-12);
      assertAlmostEquals(target, want[k] + [0.5, 1, -1][k], 1e-12);
    });
  }
});

Deno.test("samplesOf() with γ = λ = 1 are rewards to go, scaled", () => {
  const samples = samplesOf(trajectory(0), { gamma: 1, lambda: 1, scale: 10 });
  assertEquals(samples.map((sample) => sample.return), [30, 20, 20]);
});

Deno.test("lesson 17, collapse to WAIT: chancesOf() leaves no action impossible, and all together are certain", () => {
  const chances = chancesOf([100, 0, -Infinity, 7], 3, 0.3);
  assertEquals(chances.length, 3);
  assertAlmostEquals(chances[0], 0.8, 1e-12);
  assertAlmostEquals(chances[2], 0.1, 1e-12);
  assertAlmostEquals(chances.reduce((sum, chance) => sum + chance, 0), 1, 1e-12);
});

/** Counts up; action 1 pays. Ends by its rules or is cut off after five steps. */
function counter(cut: boolean): Environment<number> {
  let at = 0;
  return {
    reset: () => at = 0,
    step(action) {
      at++;
      const over = at === 5;
      return { observation: at, reward: action, terminated: over && !cut, truncated: over && cut };
    },
  };
}

Deno.test("playTrajectory() draws by the seed, and expects something only of an episode that was cut off", async () => {
  const actor = ([seen]: readonly number[]) => ({
    shape: { batch: 1, actions: 2 },
    logits: [0, Math.log(3)],
    values: [10 * seen],
  });
  const options = { floor: 0, count: () => 2 };
  const play = (seed: number, cut = false) => playTrajectory(counter(cut), actor, seed, options);
  const first = await play(1);
  assertEquals(await play(1), first);
  assertEquals([first.bootstrap, (await play(1, true)).bootstrap], [0, 50]);
  assertEquals(first.transitions.map(({ value }) => value), [0, 10, 20, 30, 40]);
  assertEquals(first.return, first.transitions.filter(({ action }) => action === 1).length);
  const actions = [];
  for (let seed = 0; seed < 200; seed++) actions.push(...(await play(seed)).transitions);
  const share = actions.filter(({ action }) => action === 1).length / actions.length;
  assert(Math.abs(share - 0.75) < 0.05, `${share}`);
  for (const { action, logProbability } of actions) {
    assertAlmostEquals(logProbability, Math.log(action === 1 ? 0.75 : 0.25), 1e-12);
  }
});

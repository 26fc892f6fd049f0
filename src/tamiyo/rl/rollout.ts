import { prng } from "../../util/prng.ts";
import type { createActor } from "./actor.ts";
import type { Sample } from "./policy_learner.ts";
import type { Environment } from "./types.ts";

/** One decision of an episode as it was taken. */
export interface Transition<O> {
  readonly observation: O;
  readonly action: number;
  readonly reward: number;
  /** Of the action, the floor included, and what the policy expected. */
  readonly logProbability: number;
  readonly value: number;
}

/** An episode that a policy played. */
export interface Trajectory<O> {
  readonly transitions: readonly Transition<O>[];
  /** What was expected of what follows: 0 where the episode ended by its own rules. */
  readonly bootstrap: number;
  /** Sum of all rewards. */
  readonly return: number;
}

/**
 * How likely each of the first `count` actions is: the softmax of their scores, `floor` of the whole spread evenly, so that none
 * is ever impossible and learning from it never divides by 0.
 */
export function chancesOf(logits: ArrayLike<number>, count: number, floor: number): number[] {
  const scores = Array.from({ length: count }, (_, k) => logits[k]), top = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - top));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (1 - floor) * weight / total + floor / count);
}

/** Plays one episode, actions drawn by `seed` with the policy's probabilities. `count` tells how many actions there are. */
export async function playTrajectory<O>(
  environment: Environment<O>,
  actor: ReturnType<typeof createActor<O>>,
  seed: number,
  { floor, count }: { readonly floor: number; readonly count: (observation: O) => number },
): Promise<Trajectory<O>> {
  const random = prng(seed, "tamiyo.rollout"), transitions: Transition<O>[] = [];
  let observation: O = await environment.reset(seed);
  for (;;) {
    const { logits, values } = actor([observation]);
    const chances = chancesOf(logits, count(observation), floor), value = values[0];
    let left = random.uniform();
    const found = chances.findIndex((chance) => (left -= chance) < 0);
    const action = found < 0 ? chances.length - 1 : found;
    const { reward, terminated, truncated, observation: next } = await environment.step(action);
    transitions.push({ observation, action, reward, logProbability: Math.log(chances[action]), value });
    observation = next;
    if (!terminated && !truncated) continue;
    const bootstrap = terminated ? 0 : actor([observation]).values[0];
    return { transitions, bootstrap, return: transitions.reduce((sum, { reward }) => sum + reward, 0) };
  }
}

/**
 * Samples with generalised advantages (Schulman et al. 2016): δ_t = r_t + γV_{t+1} − V_t, A_t = δ_t + γλA_{t+1}; the value
 * should have been A_t + V_t. `scale` multiplies rewards; values are in its units.
 */
export function samplesOf<O>(
  { transitions, bootstrap }: Trajectory<O>,
  { gamma, lambda, scale }: { readonly gamma: number; readonly lambda: number; readonly scale: number },
): Sample<O>[] {
  let advantage = 0, next = bootstrap;
  return transitions.toReversed().map(({ observation, action, reward, logProbability, value }) => {
    advantage = scale * reward + gamma * next - value + gamma * lambda * advantage;
    next = value;
    return { observation, action, logProbability, advantage, value, return: advantage + value };
  }).reverse();
}

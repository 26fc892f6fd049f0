/** Scores of several arms on the same tasks and seeds, as Agarwal et al. 2021 advise: interquartile means, stratified bootstrap. */
import { prng } from "./prng.ts";

/** An estimate with its 95 % interval (percentile bootstrap). */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Scores of one arm: a list a task, in the order of seeds. */
export type Strata = readonly (readonly number[])[];

/** Draws with replacement that an interval is made of. */
const RESAMPLES = 2000;

/** Mean of the middle half of all values; a value on the border counts by the share of it that lies within. */
export function interquartileMean(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b), cut = sorted.length / 4;
  const weight = (k: number) => Math.max(0, Math.min(k + 1, sorted.length - cut) - Math.max(k, cut));
  return sorted.reduce((sum, value, k) => sum + weight(k) * value, 0) / (sorted.length - 2 * cut);
}

/** Chance that a run of `a` scores above one of `b` on the same task, ties counted half, the mean over tasks. */
export function probabilityOfImprovement(a: Strata, b: Strata): number {
  const chances = a.map((ours, task) => {
    const wins = ours.flatMap((x) => b[task].map((y) => x > y ? 1 : x === y ? 0.5 : 0));
    return wins.reduce((sum: number, win) => sum + win, 0) / wins.length;
  });
  return chances.reduce((sum, chance) => sum + chance, 0) / chances.length;
}

/**
 * An estimate over arms with its interval: seeds are drawn within each task, the same ones for all arms, which ran with the
 * same seeds.
 */
export function bootstrap(arms: readonly Strata[], estimate: (arms: readonly Strata[]) => number): Interval {
  const random = prng(1, "scores");
  const drawn = Array.from({ length: RESAMPLES }, () => {
    const picks = arms[0].map((scores) => scores.map(() => random.below(scores.length)));
    return estimate(arms.map((strata) => strata.map((scores, task) => picks[task].map((k) => scores[k]))));
  }).sort((a, b) => a - b);
  const at = (share: number) => drawn[Math.round(share * (RESAMPLES - 1))];
  return { value: estimate(arms), low: at(0.025), high: at(0.975) };
}

/** What paired differences of a few seeds may be said to show. */
import { prng } from "./prng.ts";
import type { Interval } from "./scores.ts";

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard normal distribution function, to 1.2e-7 (Press et al., Numerical Recipes, 6.2.2). */
export function normalBelow(z: number): number {
  const x = Math.abs(z) / Math.SQRT2, t = 1 / (1 + x / 2);
  const terms = [
    ...[-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806],
    ...[0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277],
  ];
  const tail = t * Math.exp(-x * x + terms.reduceRight((sum, term) => term + t * sum, 0)) / 2;
  return z < 0 ? tail : 1 - tail;
}

/** The value that a standard normal is below with probability `share`. */
export function normalQuantile(share: number): number {
  let low = -9, high = 9;
  for (let k = 0; k < 60; k++) {
    const middle = (low + high) / 2;
    if (normalBelow(middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Draws with replacement that an interval is made of. */
const RESAMPLES = 10_000;

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b), middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

/** Median with its 95 % interval of the percentile bootstrap. The same values give the same interval. */
export function bootstrapMedian(
  values: readonly number[],
): { readonly median: number; readonly low: number; readonly high: number } {
  const random = prng(1, "bootstrap");
  const draws = RESAMPLES / 5;
  const medians = Array.from(
    { length: draws },
    () => medianOf(values.map(() => values[random.below(values.length)])),
  ).sort((a, b) => a - b);
  const at = (share: number) => medians[Math.floor(share * (draws - 1))];
  return { median: medianOf(values), low: at(0.025), high: at(0.975) };
}

/**
 * The mean with its bias-corrected and accelerated bootstrap interval (Efron 1987). The same values give the same interval;
 * values that are all equal give one of no width.
 */
export function bcaMean(values: readonly number[], confidence = 0.95): Interval {
  const n = values.length, value = meanOf(values);
  if (values.every((one) => one === values[0])) return { value, low: value, high: value };
  const random = prng(1, "bca");
  const drawn = Float64Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += values[random.below(n)];
    return sum / n;
  }).sort();
  const below = drawn.filter((mean) => mean < value).length, ties = drawn.filter((mean) => mean === value);
  const share = (below + ties.length / 2) / RESAMPLES;
  const bias = normalQuantile(Math.min(1 - 1 / RESAMPLES, Math.max(1 / RESAMPLES, share)));
  // Leaving one out moves the mean by (mean − value) / (n − 1).
  const jumps = values.map((one) => (one - value) / (n - 1));
  const squares = jumps.reduce((sum, jump) => sum + jump ** 2, 0);
  const acceleration = jumps.reduce((sum, jump) => sum + jump ** 3, 0) / (6 * squares ** 1.5);
  const at = (tail: number) => {
    const z = bias + normalQuantile(tail), corrected = normalBelow(bias + z / (1 - acceleration * z));
    return drawn[Math.min(RESAMPLES - 1, Math.max(0, Math.floor(corrected * RESAMPLES)))];
  };
  return { value, low: at((1 - confidence) / 2), high: at((1 + confidence) / 2) };
}

/** log Γ(x), x > 0 (Lanczos). */
function logGamma(x: number): number {
  const terms = [
    ...[676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406],
    ...[12.507343278686905, -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7],
  ];
  const base = x + 6.5;
  const series = terms.reduce((sum, term, k) => sum + term / (x + k), 0.99999999999980993);
  return Math.log(2 * Math.PI) / 2 + (x - 0.5) * Math.log(base) - base + Math.log(series);
}

/** Regularised incomplete beta function I_x(a, b), by its continued fraction (Lentz). */
function betaBelow(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaBelow(1 - x, b, a);
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x),
  ) / a;
  const guard = (value: number) => Math.abs(value) < 1e-300 ? 1e-300 : value;
  let d = 1 / guard(1 - (a + b) * x / (a + 1)), c = 1, fraction = d;
  for (let m = 1; m <= 200; m++) {
    const even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    for (const term of [even, odd]) {
      d = 1 / guard(1 + term * d);
      c = guard(1 + term / c);
      fraction *= d * c;
    }
  }
  return front * fraction;
}

/** Chance that Student's t with `freedom` degrees of freedom is above `t`. */
export function studentAbove(t: number, freedom: number): number {
  if (!Number.isFinite(t)) return t > 0 ? 0 : 1;
  const tail = betaBelow(freedom / (freedom + t * t), freedom / 2, 1 / 2) / 2;
  return t > 0 ? tail : 1 - tail;
}

/**
 * One-sided p-value of Student's paired test that the mean of `differences` is above `margin`; 1 of fewer than two
 * differences. Differences that are all equal prove what they show.
 */
export function pairedAbove(differences: readonly number[], margin = 0): number {
  const n = differences.length;
  if (n < 2) return 1;
  const mean = meanOf(differences);
  const variance = differences.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (n - 1);
  if (variance === 0) return mean > margin ? 0 : 1;
  return studentAbove((mean - margin) / Math.sqrt(variance / n), n - 1);
}

/** p-values adjusted for being several, in their order (Holm 1979): each may be held against the level itself. */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, k) => k).sort((a, b) => values[a] - values[b]);
  const adjusted = new Array<number>(values.length);
  let least = 0;
  for (const [rank, k] of order.entries()) {
    least = Math.max(least, Math.min(1, (values.length - rank) * values[k]));
    adjusted[k] = least;
  }
  return adjusted;
}

/** A point of a curve; a curve is in the order of x, which is above 0. */
export interface CurvePoint {
  readonly x: number;
  readonly y: number;
}

/** y at x: between two points along the logarithm of x, and beyond the ends that of the nearest. */
function valueAt(curve: readonly CurvePoint[], x: number): number {
  const after = curve.findIndex((point) => point.x >= x);
  if (after <= 0) return after === 0 ? curve[0].y : curve[curve.length - 1].y;
  const [a, b] = [curve[after - 1], curve[after]];
  return a.y + (b.y - a.y) * Math.log(x / a.x) / Math.log(b.x / a.x);
}

/** Mean of y over the logarithm of x between two values of x, by trapezoids: the area under the curve over its width. */
export function meanOverLog(curve: readonly CurvePoint[], from: number, to: number): number {
  const xs = [from, ...curve.map(({ x }) => x).filter((x) => x > from && x < to), to];
  const area = xs.slice(1).reduce(
    (sum, x, k) => sum + (valueAt(curve, x) + valueAt(curve, xs[k])) / 2 * Math.log(x / xs[k]),
    0,
  );
  return area / Math.log(to / from);
}

/** What several timings of one thing come to. */
export interface Spread {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
}

/** Median, and the range that holds four of five values; between two values, by linear interpolation. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const quantile = (q: number) => {
    const at = q * (sorted.length - 1), low = Math.floor(at);
    const high = Math.min(low + 1, sorted.length - 1);
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
  };
  return { median: quantile(0.5), p10: quantile(0.1), p90: quantile(0.9) };
}

/** Slope of a straight line through (log x, log y), by least squares: the power with which y grows. */
export function logSlope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const xs = points.map(({ x }) => Math.log(x)), ys = points.map(({ y }) => Math.log(y));
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const mx = mean(xs), my = mean(ys);
  const covariance = mean(xs.map((x, k) => (x - mx) * (ys[k] - my)));
  return covariance / mean(xs.map((x) => (x - mx) ** 2));
}

/** Two-sided 95 % quantiles of Student's t for 1, 2 … 20 degrees of freedom. */
const T95 = [
  ...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228],
  ...[2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086],
];

/** Standard deviation of what the values are a sample of. */
export function deviationOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** Mean of a[k] − b[k] and half the width of its 95 % interval. */
export function pairedDifference(
  a: readonly number[],
  b: readonly number[],
): { readonly mean: number; readonly half: number } {
  const n = a.length;
  const differences = a.map((value, k) => value - b[k]);
  const mean = differences.reduce((sum, d) => sum + d, 0) / n;
  return { mean, half: (T95[n - 2] ?? 1.96) * deviationOf(differences) / Math.sqrt(n) };
}

/** The largest share that is still compatible with `hits` of `trials`, at 95 % one-sided (Clopper and Pearson 1934). */
export function atMost(hits: number, trials: number): number {
  /** How probable as few hits are. */
  const probability = (share: number) => {
    let term = (1 - share) ** trials, total = term;
    for (let k = 0; k < hits; k++) {
      term *= (trials - k) / (k + 1) * share / (1 - share);
      total += term;
    }
    return total;
  };
  let low = hits / trials, high = 1;
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (probability(middle) > 0.05) low = middle;
    else high = middle;
  }
  return high;
}

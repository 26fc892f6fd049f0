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

/** Smallest and largest damping that is tried. */
const DAMPING = { first: 1e-3, least: 1e-9, most: 1e9 };
const NUDGE = 1e-5;

/**
 * Parameters that make the sum of squared residuals least, from a first guess: Levenberg and Marquardt, with Marquardt's
 * scaling and derivatives by central differences. It ends where an iteration gains less than a millionth.
 */
export function leastSquares(
  residuals: (parameters: readonly number[]) => readonly number[],
  guess: readonly number[],
  iterations = 100,
): number[] {
  const cost = (values: readonly number[]) => values.reduce((sum, value) => sum + value * value, 0);
  let parameters = [...guess], now = residuals(parameters), damping = DAMPING.first;
  for (let round = 0; round < iterations && damping < DAMPING.most; round++) {
    const slopes = parameters.map((value, k) => {
      const nudge = NUDGE * Math.max(1, Math.abs(value));
      const up = residuals(parameters.with(k, value + nudge));
      const down = residuals(parameters.with(k, value - nudge));
      return up.map((above, i) => (above - down[i]) / (2 * nudge));
    });
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
    const normal = slopes.map((a) => slopes.map((b) => dot(a, b)));
    const pull = slopes.map((slope) => -dot(slope, now));
    const before = cost(now);
    for (; damping < DAMPING.most; damping *= 10) {
      const damped = normal.map((row, k) => row.with(k, row[k] * (1 + damping) + 1e-12));
      const step = solve(damped, pull);
      const next = parameters.map((value, k) => value + step[k]), after = residuals(next);
      if (!(cost(after) < before)) continue;
      [parameters, now] = [next, after];
      damping = Math.max(DAMPING.least, damping / 10);
      break;
    }
    if (before - cost(now) < 1e-6 * before) break;
  }
  return parameters;
}

/** Solves A·x = b by elimination with partial pivots. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, k) => [...row, right[k]]), n = rows.length;
  for (let k = 0; k < n; k++) {
    const pivot = rows.slice(k).reduce(
      (best, row, i) => Math.abs(row[k]) > Math.abs(rows[best][k]) ? k + i : best,
      k,
    );
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let i = k + 1; i < n; i++) {
      const factor = rows[i][k] / rows[k][k];
      for (let j = k; j <= n; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let k = n - 1; k >= 0; k--) {
    x[k] = rows[k].reduce((left, value, j) => j > k && j < n ? left - value * x[j] : left, rows[k][n]) /
      rows[k][k];
  }
  return x;
}

/** Eigenvalues, largest first, and their eigenvectors of length 1: `vectors[k]` belongs to `values[k]`. */
export interface Eigen {
  readonly values: number[];
  readonly vectors: number[][];
}

/** Sweeps after which a matrix of any size used here has long converged; convergence is quadratic. */
const SWEEPS = 30;

/** Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's method (Golub & Van Loan 2013, section 8.5). */
export function eigenOfSymmetric(matrix: readonly (readonly number[])[]): Eigen {
  const n = matrix.length;
  const a = matrix.map((row) => [...row]);
  const v = a.map((_, i) => a.map((_, j) => Number(i === j)));
  const rotate = (m: number[][], p: number, q: number, c: number, s: number) => {
    for (const row of m) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
  };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (a[p][q] === 0) continue;
        const tau = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const t = (tau < 0 ? -1 : 1) / (Math.abs(tau) + Math.hypot(1, tau));
        const c = 1 / Math.hypot(1, t), s = t * c;
        rotate(a, p, q, c, s);
        for (let k = 0; k < n; k++) {
          [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
        }
        rotate(v, p, q, c, s);
      }
    }
  }
  const order = a.map((_, k) => k).sort((i, j) => a[j][j] - a[i][i]);
  return { values: order.map((k) => a[k][k]), vectors: order.map((k) => v.map((row) => row[k])) };
}

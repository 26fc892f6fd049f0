import type { Values } from "../../src/engine/graph/op.ts";

const EPSILON = 2 ** -23;

export interface Tolerance {
  /** Multiples of float32 epsilon. */
  readonly slack: number;
  /** Length of the longest sum behind one element. */
  readonly terms: number;
}

/**
 * Compares element by element: |got − want| ≤ slack · eps · sqrt(terms) · scale, where scale is the largest magnitude
 * wanted (at least 1e-3). NaN and infinities must agree exactly.
 *
 * @throws {Error} naming the worst element and the tolerance.
 */
export function assertClose(got: Values, want: Values, { slack, terms }: Tolerance, what: string): void {
  if (got.length !== want.length) throw new Error(`${what}: want ${want.length} values, got ${got.length}`);
  let scale = 1e-3;
  for (const value of want) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
  const limit = slack * EPSILON * Math.sqrt(terms) * scale;
  let worst = -1, worstError = limit;
  for (let i = 0; i < want.length; i++) {
    if (Object.is(got[i], want[i]) || (Number.isNaN(got[i]) && Number.isNaN(want[i]))) continue;
    const error = Number.isFinite(got[i]) && Number.isFinite(want[i]) ? Math.abs(got[i] - want[i]) : Infinity;
    if (error > worstError) [worst, worstError] = [i, error];
  }
  if (worst >= 0) {
    throw new Error(
      `${what}: element ${worst} is ${got[worst]}, want ${want[worst]} ± ${limit} ` +
        `(${slack} · eps · sqrt(${terms}) · ${scale})`,
    );
  }
}

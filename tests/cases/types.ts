import type { Attrs, DType } from "../../src/engine/gpu/kernel.ts";
import type { OpName } from "../../src/engine/ops/names.ts";

/** How the values of a case's input are drawn (seeded by the case's name). */
export type Fill =
  /** Standard normal. */
  | "normal"
  /** Uniform in [0.5, 2]: for log, sqrt and divisors. */
  | "positive"
  /** Distinct values in shuffled order at least 0.05 apart, none within 0.02 of 0: no ties, no kinks near by. */
  | "distinct"
  /** u32 uniformly below n. */
  | { readonly below: number }
  /** Exactly these. */
  | readonly number[];

export interface CaseInput {
  readonly shape: readonly number[];
  readonly dtype?: DType;
  /** Default "normal". */
  readonly fill?: Fill;
}

/**
 * One application of an op, used for correctness on every adapter and variant, for gradients, for speed and for the
 * support table.
 */
export interface OpCase {
  readonly name: string;
  readonly op: OpName;
  readonly inputs: readonly CaseInput[];
  readonly attrs?: Attrs;
  /**
   * Length of the longest sum behind one result element: the tolerance is `slack · eps · sqrt(terms)` times the scale of
   * the result (its largest magnitude). Default 1.
   */
  readonly terms?: number;
  /** Multiples of float32 epsilon; default 16. A larger one says why in a comment. */
  readonly slack?: number;
  /** False where the derivative does not exist at the case's values (ties, say). Default true. */
  readonly checkGradient?: boolean;
}

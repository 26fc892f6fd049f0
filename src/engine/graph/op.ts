import type { Attrs, Call, TensorType, Variant } from "../gpu/kernel.ts";
import type { Tensor } from "./tensor.ts";

/** Values of a tensor on the host. References compute in Float64Array and are the specification of every kernel. */
export type Values = Float32Array | Float64Array | Uint32Array;

/** An element-wise formula in WGSL: `$0`, `$1` … are the operands, `$name` an attribute, `T` the (vector) type. */
export interface Elementwise {
  /** An expression, such as `max($0, T(0))`. */
  readonly wgsl: string;
}

/**
 * How an op becomes GPU work: a formula that may fuse with its neighbours, kernels of its own, or nothing ("view": the
 * result is its first input's memory, or a part of it, under another shape).
 */
export type Lowerable<A extends Attrs = Attrs> = Elementwise | readonly Variant<A>[] | "view";

/**
 * Everything the engine knows of one op. No other code asks which op it has.
 */
export interface Op<A extends Attrs = Attrs, Name extends string = string> {
  /** In camelCase, as errors and profiles print it. */
  readonly name: Name;
  /** Type of the result. Throws a TypeError or RangeError (operation, want, got, cure) where operands do not fit. */
  type(inputs: readonly TensorType[], attrs: A): TensorType;
  /**
   * Slow and obvious; returns an array of the output's size (Float64Array for f32, Uint32Array for u32): a new one or, where
   * the op likes, `into`, an array of that kind whose numbers are no matter.
   */
  reference(inputs: readonly Values[], call: Call<A>, into?: Values): Values;
  /** The numbers of the reference to the last bit, but sooner; null where the reference must do. */
  quick?(inputs: readonly Values[], call: Call<A>, into?: Values): Values | null;
  /**
   * Cotangents of the inputs given the cotangent `dy` of the result, as graph nodes; null where none flows (labels,
   * indices). Absent: the op is not differentiable, and gradients stop at it.
   */
  gradient?(dy: Tensor, node: Tensor): readonly (Tensor | null)[];
  /** Of a view: numbers of its operand before its first, a multiple of 64. Default 0. */
  offset?(attrs: A): number;
  /**
   * One node that computes this op's result `node` and, from number `begin` of its own on, `other`; null where none does.
   */
  beside?(node: Tensor, other: Tensor, begin: number): Tensor | null;
  /** How a device computes it. */
  readonly lower: Lowerable<A>;
  /**
   * What mixed precision stores as f16. `half`: the result; `inherited` (as formulas do): the result, where an operand is;
   * `exact`: not the result, nor an operand that only such ops read. Absent: not the result.
   */
  readonly storage?: "half" | "inherited" | "exact";
  /** Multiplications and additions of one application (a fused multiply-add counts 2). */
  flops(call: Call<A>): number;
}

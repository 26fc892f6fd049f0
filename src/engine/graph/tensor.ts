import type { Attrs, DType, TensorType } from "../gpu/kernel.ts";
import { formatShape, sameShape, type Shape } from "../../util/shape.ts";
import type { Op } from "./op.ts";

/** Where a tensor without an op comes from. */
export type Source =
  /** Trainable; lives in the flat parameter buffer under its name. */
  | { readonly kind: "parameter"; readonly name: string }
  /** Small and new each step (batch indices, learning rates, α, the step counter): one buffer, written once a step. */
  | { readonly kind: "step"; readonly name: string }
  /** A buffer that the caller keeps on the device (a data set). */
  | { readonly kind: "resident"; readonly name: string };

let lastId = 0;

/**
 * A symbolic value: shape, dtype and how it is computed, but no data. Ids grow in order of creation, so they order any
 * graph topologically.
 */
export class Tensor implements TensorType {
  /** Larger than those of its operands. */
  readonly id: number;
  /** Sizes, outermost dimension first; [] is a scalar. */
  readonly shape: Shape;
  /** Of its elements. */
  readonly dtype: DType;
  /** Operands of its op; none of a source. */
  readonly inputs: readonly Tensor[];
  /** Static arguments of its op. */
  readonly attrs: Attrs;
  /** The op that computes it, or where it comes from. */
  readonly origin: Op | Source;
  /** Always computed into memory, never fused away: what several programs must compute alike. */
  materialised = false;

  /** Made by `apply`, `parameter`, `stepInput` and `resident`, which check. */
  constructor(
    origin: Op | Source,
    type: TensorType,
    inputs: readonly Tensor[] = [],
    attrs: Attrs = {},
    id = ++lastId,
  ) {
    this.id = id;
    this.origin = origin;
    this.shape = type.shape;
    this.dtype = type.dtype;
    this.inputs = inputs;
    this.attrs = attrs;
  }

  /** The op that computes this tensor; null for a source. */
  get op(): Op | null {
    return "kind" in this.origin ? null : this.origin;
  }

  /** Where a tensor without an op comes from; null of any other. */
  get source(): Source | null {
    return "kind" in this.origin ? this.origin : null;
  }

  /** As errors print it: `conv2d f32 [64, 16, 16, 8]`. */
  toString(): string {
    const name = "kind" in this.origin ? `${this.origin.kind} "${this.origin.name}"` : this.origin.name;
    return `${name} ${this.dtype} ${formatShape(this.shape)}`;
  }
}

/** Nodes made within `withSharedNodes`, by what defines them; null outside. */
let shared: Map<string, Tensor> | null = null;

/**
 * Runs `trace` such that the same op on the same tensors with the same attributes is one node, and so is a source of one
 * name: what is traced twice is computed once. Tracing a network a second time with a change half-way thus shares all
 * that comes before the change. Every call starts afresh, a nested one too.
 *
 * @throws {TypeError} if two sources of one name differ in shape or dtype.
 */
export function withSharedNodes<T>(trace: () => T): T {
  const outer = shared;
  shared = new Map();
  try {
    return trace();
  } finally {
    shared = outer;
  }
}

function share(key: () => string, make: () => Tensor): Tensor {
  if (!shared) return make();
  const name = key();
  const node = shared.get(name) ?? make();
  shared.set(name, node);
  return node;
}

/** Attributes as text: equal exactly where they are equal, -0 and NaN included. */
function attrsKey(attrs: Attrs): string {
  const text = (value: unknown): string =>
    Array.isArray(value) ? `[${value.map(text)}]` : Object.is(value, -0) ? "-0" : String(value);
  return Object.keys(attrs).sort().map((name) => `${name}=${text(attrs[name])}`).join(";");
}

function source(origin: Source, shape: Shape, dtype: DType): Tensor {
  const tensor = share(
    () => `${origin.kind} ${origin.name}`,
    () => new Tensor(origin, { shape, dtype }),
  );
  if (tensor.dtype !== dtype || !sameShape(tensor.shape, shape)) {
    throw new TypeError(
      `${origin.kind} "${origin.name}": declared as ${tensor} and as ${dtype} ${formatShape(shape)}`,
    );
  }
  return tensor;
}

/** Applies an op: checks the operands and records the node. */
export function apply<A extends Attrs>(op: Op<A>, inputs: readonly Tensor[], attrs: A): Tensor {
  return share(
    () => `${op.name}(${inputs.map((input) => input.id)}) ${attrsKey(attrs)}`,
    () => new Tensor(op as unknown as Op, op.type(inputs, attrs), inputs, attrs),
  );
}

/** Applies an op to a node's operands, to be computed when the node would have been, which no graph then holds. */
export function applyInsteadOf<A extends Attrs>(node: Tensor, op: Op<A>, attrs: A): Tensor {
  return new Tensor(op as unknown as Op, op.type(node.inputs, attrs), node.inputs, attrs, node.id);
}

/**
 * A trainable f32 tensor, which lies in the parameter store under its name.
 *
 * @throws {TypeError} within `withSharedNodes`, if the name is taken by another shape or dtype; so do the next two.
 */
export function parameter(name: string, shape: Shape): Tensor {
  return source({ kind: "parameter", name }, shape, "f32");
}

/** A small tensor whose numbers are written anew each step. */
export function stepInput(name: string, shape: Shape, dtype: DType = "f32"): Tensor {
  return source({ kind: "step", name }, shape, dtype);
}

/** A tensor in a buffer of the caller's, such as a data set. */
export function resident(name: string, shape: Shape, dtype: DType): Tensor {
  return source({ kind: "resident", name }, shape, dtype);
}

/** Marks a tensor as a boundary that fusion keeps: its value is computed alike in every program that shares it. */
export function materialise(tensor: Tensor): Tensor {
  tensor.materialised = true;
  return tensor;
}

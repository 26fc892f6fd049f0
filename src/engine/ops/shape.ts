import {
  type ConcatAttrs,
  concatCopies,
  concatVariants,
  type Copy,
  copyVariants,
  type PadAttrs,
  padVariants,
  type SliceAttrs,
  sliceCopies,
  type TransposeAttrs,
  transposeCopies,
} from "../../../kernels/shape.ts";
import { formatShape, sameShape, type Shape, sizeOf } from "../../util/shape.ts";
import type { Attrs, Call } from "../gpu/kernel.ts";
import type { Values } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { defineOp } from "./define.ts";

const reshapeOp = defineOp<{ shape: readonly number[] }>({
  name: "reshape",
  type([x], { shape }) {
    if (sizeOf(shape) !== sizeOf(x.shape)) {
      throw new TypeError(
        `reshape: ${formatShape(x.shape)} has ${sizeOf(x.shape)} elements, ` +
          `${formatShape(shape)} has ${sizeOf(shape)}; the counts must be equal`,
      );
    }
    return { shape, dtype: x.dtype };
  },
  reference([x], _, into) {
    into?.set(x);
    return into ?? x.slice();
  },
  gradient: (dy, node) => [reshape(dy, node.inputs[0].shape)],
  lower: "view",
  flops: () => 0,
});

const rangeOp = defineOp<{ begin: number; shape: readonly number[] }>({
  name: "range",
  type([x], { begin, shape }) {
    if (begin % 64 !== 0 || begin < 0 || begin + sizeOf(shape) > sizeOf(x.shape)) {
      throw new RangeError(
        `range: want a multiple of 64 within ${formatShape(x.shape)} to begin at, got ${begin} for ` +
          formatShape(shape),
      );
    }
    return { shape, dtype: x.dtype };
  },
  reference: ([x], { output, attrs: { begin } }) => x.slice(begin, begin + sizeOf(output.shape)),
  lower: "view",
  offset: ({ begin }) => begin,
  flops: () => 0,
});

/** Element by element what a copy kernel does. */
function runCopy(source: Values, target: Values, { from, to, dimensions }: Copy): void {
  const index = new Array<number>(dimensions.length).fill(0);
  const count = sizeOf(dimensions.map(({ size }) => size));
  for (let i = 0; i < count; i++) {
    target[dimensions.reduce((at, { to }, d) => at + index[d] * to, to)] =
      source[dimensions.reduce((at, { from }, d) => at + index[d] * from, from)];
    for (let d = dimensions.length - 1; d >= 0 && ++index[d] === dimensions[d].size; d--) index[d] = 0;
  }
}

function copyReference<A extends Attrs>(copies: (call: Call<A>) => readonly Copy[]) {
  return (inputs: readonly Values[], call: Call<A>): Values => {
    const target = zeros(call);
    for (const [k, copy] of copies(call).entries()) runCopy(inputs[k], target, copy);
    return target;
  };
}

function zeros({ output }: Call): Float64Array | Uint32Array {
  const size = sizeOf(output.shape);
  return output.dtype === "u32" ? new Uint32Array(size) : new Float64Array(size);
}

const sliceOp = defineOp<SliceAttrs>({
  name: "slice",
  storage: "inherited",
  type([x], { begin, size }) {
    const fits = begin.length === x.shape.length && size.length === x.shape.length &&
      x.shape.every((n, d) => begin[d] >= 0 && size[d] >= 1 && begin[d] + size[d] <= n);
    if (!fits) {
      throw new RangeError(
        `slice: want a box within ${formatShape(x.shape)}, got begin ${formatShape(begin)} and size ` +
          `${formatShape(size)}; each begin + size may be at most the dimension`,
      );
    }
    return { shape: size, dtype: x.dtype };
  },
  reference: copyReference(sliceCopies),
  gradient(dy, node) {
    const { begin, size } = node.attrs as SliceAttrs;
    return [pad(dy, begin, node.inputs[0].shape.map((n, d) => n - begin[d] - size[d]))];
  },
  lower: copyVariants(sliceCopies),
  flops: () => 0,
});

const padOp = defineOp<PadAttrs>({
  name: "pad",
  storage: "inherited",
  type([x], { before, after }) {
    const fits = before.length === x.shape.length && after.length === x.shape.length &&
      [...before, ...after].every((n) => Number.isInteger(n) && n >= 0);
    if (!fits) {
      throw new RangeError(
        `pad: want counts of at least 0 for each dimension of ${formatShape(x.shape)}, got before ` +
          `${formatShape(before)} and after ${formatShape(after)}`,
      );
    }
    return { shape: x.shape.map((n, d) => before[d] + n + after[d]), dtype: x.dtype };
  },
  reference([x], call) {
    // A slice of the result, backwards.
    const box = {
      inputs: [call.output],
      output: call.inputs[0],
      attrs: { begin: call.attrs.before, size: [] },
    };
    const [{ from, to, dimensions }] = sliceCopies(box);
    const target = zeros(call);
    runCopy(x, target, {
      from: to,
      to: from,
      dimensions: dimensions.map(({ size, from, to }) => ({ size, from: to, to: from })),
    });
    return target;
  },
  gradient: (dy, node) => [slice(dy, (node.attrs as PadAttrs).before, node.inputs[0].shape)],
  lower: padVariants,
  flops: () => 0,
});

const concatOp = defineOp<ConcatAttrs>({
  name: "concat",
  storage: "inherited",
  type(inputs, { axis }) {
    const [first] = inputs;
    if (!Number.isInteger(axis) || axis < 0 || axis >= first.shape.length) {
      throw new RangeError(
        `concat: want an axis from 0 to ${first.shape.length - 1} for ${
          formatShape(first.shape)
        }, got ${axis}`,
      );
    }
    const others = (shape: Shape) => shape.filter((_, d) => d !== axis);
    for (const { shape, dtype } of inputs) {
      const fits = shape.length === first.shape.length && dtype === first.dtype &&
        sameShape(others(shape), others(first.shape));
      if (!fits) {
        throw new TypeError(
          `concat: want tensors that differ in axis ${axis} only, got ${first.dtype} ` +
            `${formatShape(first.shape)} and ${dtype} ${formatShape(shape)}`,
        );
      }
    }
    const length = inputs.reduce((sum, { shape }) => sum + shape[axis], 0);
    return { shape: first.shape.map((n, d) => d === axis ? length : n), dtype: first.dtype };
  },
  reference: copyReference(concatCopies),
  gradient(dy, node) {
    const { axis } = node.attrs as ConcatAttrs;
    let start = 0;
    return node.inputs.map(({ shape }) => {
      const begin = shape.map((_, d) => d === axis ? start : 0);
      start += shape[axis];
      return slice(dy, begin, shape);
    });
  },
  lower: concatVariants,
  flops: () => 0,
});

const transposeOp = defineOp<TransposeAttrs>({
  name: "transpose",
  storage: "inherited",
  type([x], { order }) {
    if (order.length !== x.shape.length || x.shape.some((_, d) => !order.includes(d))) {
      throw new RangeError(
        `transpose: want each of the ${x.shape.length} dimensions of ${formatShape(x.shape)} once, got ` +
          `${formatShape(order)}`,
      );
    }
    return { shape: order.map((d) => x.shape[d]), dtype: x.dtype };
  },
  reference: copyReference(transposeCopies),
  gradient(dy, node) {
    const { order } = node.attrs as TransposeAttrs;
    return [transpose(dy, order.map((_, d) => order.indexOf(d)))];
  },
  lower: copyVariants(transposeCopies),
  flops: () => 0,
});

export const shapeOps = {
  reshape: reshapeOp,
  range: rangeOp,
  slice: sliceOp,
  pad: padOp,
  concat: concatOp,
  transpose: transposeOp,
};

/** The same elements in another shape; moves nothing. One dimension may be -1: it takes what is left. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = shape.reduce((product, n) => n === -1 ? product : product * n, 1);
  return apply(reshapeOp, [x], { shape: shape.map((n) => n === -1 ? sizeOf(x.shape) / known : n) });
}

/**
 * The elements of `x` from `begin` on, in its own memory. It has no gradient.
 *
 * @throws {RangeError} if `begin` is no multiple of 64, or the range is not within `x`.
 */
export function range(x: Tensor, begin: number, shape: Shape): Tensor {
  return apply(rangeOp, [x], { begin, shape });
}

/**
 * The box of `size` elements a dimension that starts at `begin`.
 *
 * @throws {RangeError} if the box is not within `x`.
 */
export function slice(x: Tensor, begin: readonly number[], size: Shape): Tensor {
  return apply(sliceOp, [x], { begin, size });
}

/** `x` with `before` and `after` zeros around each dimension. */
export function pad(x: Tensor, before: readonly number[], after: readonly number[]): Tensor {
  return apply(padOp, [x], { before, after });
}

/**
 * The tensors one after the other along `axis`.
 *
 * @throws {TypeError} if they differ in another dimension or in dtype.
 */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  return apply(concatOp, tensors, { axis });
}

/** Dimension d of the result is dimension `order[d]` of `x`; default: the dimensions reversed. */
export function transpose(
  x: Tensor,
  order: readonly number[] = x.shape.map((_, d) => x.shape.length - 1 - d),
): Tensor {
  return apply(transposeOp, [x], { order });
}

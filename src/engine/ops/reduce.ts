import { sumVariants } from "../../../kernels/reduce.ts";
import {
  broadcastShapes,
  broadcastStrides,
  formatShape,
  sameShape,
  type Shape,
  sizeOf,
} from "../../util/shape.ts";
import type { Call } from "../gpu/kernel.ts";
import type { Values } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { memoryOf } from "../graph/trace.ts";
import { defineOp } from "./define.ts";
import { reshape } from "./shape.ts";

const sumOp = defineOp<{ axes: readonly number[]; scale: number }>({
  name: "sum",
  storage: "exact",
  type([x], { axes }) {
    if (x.dtype !== "f32") throw new TypeError(`sum: want an f32 operand, got ${x.dtype}`);
    const bad = axes.find((axis) => !Number.isInteger(axis) || axis < 0 || axis >= x.shape.length);
    if (bad !== undefined) {
      throw new RangeError(
        `sum: want axes from 0 to ${x.shape.length - 1} for ${formatShape(x.shape)}, got ${bad}`,
      );
    }
    return { shape: x.shape.map((n, d) => axes.includes(d) ? 1 : n), dtype: "f32" };
  },
  reference([x], call) {
    const { shape } = call.inputs[0];
    const result = new Float64Array(sizeOf(call.output.shape));
    const strides = broadcastStrides(call.output.shape, shape);
    const index = new Array<number>(shape.length).fill(0);
    for (let i = 0; i < x.length; i++) {
      result[index.reduce((at, n, d) => at + n * strides[d], 0)] += x[i] * call.attrs.scale;
      for (let d = shape.length - 1; d >= 0 && ++index[d] === shape[d]; d--) index[d] = 0;
    }
    return result;
  },
  gradient: (dy, node) => [broadcastTo(dy, node.inputs[0].shape, node.attrs.scale as number)],
  lower: sumVariants,
  flops: (call) => sizeOf(call.inputs[0].shape),
});

const broadcastToOp = defineOp<{ shape: readonly number[]; scale: number }>({
  name: "broadcastTo",
  type([x], { shape }) {
    if (x.dtype !== "f32") throw new TypeError(`broadcastTo: want an f32 operand, got ${x.dtype}`);
    const joined = broadcastShapes(x.shape, shape);
    if (!joined || !sameShape(joined, shape)) {
      throw new TypeError(`broadcastTo: ${formatShape(x.shape)} does not broadcast to ${formatShape(shape)}`);
    }
    return { shape, dtype: "f32" };
  },
  reference([x], call) {
    const { shape } = call.output;
    const strides = broadcastStrides(call.inputs[0].shape, shape);
    const index = new Array<number>(shape.length).fill(0);
    return new Float64Array(sizeOf(shape)).map(() => {
      const value = call.attrs.scale * x[index.reduce((at, n, d) => at + n * strides[d], 0)];
      for (let d = shape.length - 1; d >= 0 && ++index[d] === shape[d]; d--) index[d] = 0;
      return value;
    });
  },
  gradient: (dy, node) => [sumTo(dy, node.inputs[0].shape, node.attrs.scale as number)],
  lower: { wgsl: "T($scale) * $0" },
  flops: (call) => sizeOf(call.output.shape),
});

export const reduceOps = { sum: sumOp, broadcastTo: broadcastToOp };

/** scale · Σ x over `axes` (default: all), which are kept as dimensions of size 1 unless `keep` is false. */
export function sum(
  x: Tensor,
  axes: readonly number[] = x.shape.map((_, d) => d),
  keep = false,
  scale = 1,
): Tensor {
  const result = apply(sumOp, [x], { axes, scale });
  const kept = x.shape.flatMap((n, d) => axes.includes(d) ? (keep ? [1] : []) : [n]);
  return sameShape(result.shape, kept) ? result : reshape(result, kept);
}

/** Arithmetic mean over `axes` (default: all). */
export function mean(x: Tensor, axes: readonly number[] = x.shape.map((_, d) => d), keep = false): Tensor {
  return sum(x, axes, keep, 1 / axes.reduce((product, axis) => product * x.shape[axis], 1));
}

/** scale · x, repeated to `shape` by NumPy's broadcasting rule. */
export function broadcastTo(x: Tensor, shape: Shape, scale = 1): Tensor {
  return apply(broadcastToOp, [x], { shape, scale });
}

/** The tensor that `sums` adds up over all its dimensions but the last; null if it is something else. */
export function summedColumns(sums: Tensor): Tensor | null {
  const { op, attrs, inputs: [x] } = memoryOf(sums);
  if (op?.name !== sumOp.name || attrs.scale !== 1) return null;
  const axes = attrs.axes as readonly number[];
  return axes.length === x.shape.length - 1 && axes.every((axis, d) => axis === d) ? x : null;
}

/** The result of `call`: `rows`, zeros, and in its last row the column sums of `x`. */
export function withColumnSums(rows: Values, x: Values, { output }: Call): Float64Array {
  const result = new Float64Array(sizeOf(output.shape));
  result.set(rows);
  const columns = output.shape.at(-1)!, last = result.length - columns;
  for (let i = 0; i < x.length; i++) result[last + i % columns] += x[i];
  return result;
}

/** The reverse of broadcasting: sums `x` over the dimensions in which `shape` is 1 or absent. */
export function sumTo(x: Tensor, shape: Shape, scale = 1): Tensor {
  if (sameShape(x.shape, shape) && scale === 1) return x;
  const extra = x.shape.length - shape.length;
  const axes = x.shape.flatMap((n, d) => d < extra || (shape[d - extra] === 1 && n !== 1) ? [d] : []);
  return reshape(sum(x, axes, true, scale), shape);
}

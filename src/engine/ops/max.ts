import { maxVariants } from "../../../kernels/reduce.ts";
import { broadcastStrides, formatShape, sizeOf } from "../../util/shape.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { defineOp } from "./define.ts";
import { div, elementwiseOps, full } from "./elementwise.ts";
import { sum } from "./reduce.ts";
import { reshape } from "./shape.ts";

const maxOp = defineOp<{ axes: readonly number[] }>({
  name: "max",
  storage: "exact",
  type([x], { axes }) {
    if (x.dtype !== "f32") throw new TypeError(`max: want an f32 operand, got ${x.dtype}`);
    const bad = axes.find((axis) => !Number.isInteger(axis) || axis < 0 || axis >= x.shape.length);
    if (bad !== undefined) {
      throw new RangeError(
        `max: want axes from 0 to ${x.shape.length - 1} for ${formatShape(x.shape)}, got ${bad}`,
      );
    }
    return { shape: x.shape.map((n, d) => axes.includes(d) ? 1 : n), dtype: "f32" };
  },
  reference([x], call) {
    const { shape } = call.inputs[0];
    const result = new Float64Array(sizeOf(call.output.shape)).fill(-Infinity);
    const strides = broadcastStrides(call.output.shape, shape);
    const index = new Array<number>(shape.length).fill(0);
    for (let i = 0; i < x.length; i++) {
      const at = index.reduce((sum, n, d) => sum + n * strides[d], 0);
      result[at] = Math.max(result[at], x[i]);
      for (let d = shape.length - 1; d >= 0 && ++index[d] === shape[d]; d--) index[d] = 0;
    }
    return result;
  },
  // Elements that share the maximum share its gradient.
  gradient(dy, node) {
    const [x] = node.inputs;
    const { axes } = node.attrs as { axes: readonly number[] };
    const count = sum(apply(elementwiseOps.gateAtLeast, [full(x.shape, 1), x, node], {}), axes, true);
    return [apply(elementwiseOps.gateAtLeast, [div(dy, count), x, node], {})];
  },
  lower: maxVariants,
  flops: (call) => sizeOf(call.inputs[0].shape),
});

export const maxOps = { max: maxOp };

/**
 * Largest element over `axes` (default: all), which are kept as dimensions of size 1 if `keep`. Where several elements are
 * largest, each takes an equal part of the gradient.
 */
export function max(x: Tensor, axes: readonly number[] = x.shape.map((_, d) => d), keep = false): Tensor {
  const result = apply(maxOp, [x], { axes });
  return keep ? result : reshape(result, x.shape.filter((_, d) => !axes.includes(d)));
}

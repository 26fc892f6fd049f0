import { formatShape, type Shape, sizeOf } from "../../util/shape.ts";
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
  reference: ([x]) => x.slice(),
  gradient: (dy, node) => [reshape(dy, node.inputs[0].shape)],
  lower: "view",
  flops: () => 0,
});

export const shapeOps = { reshape: reshapeOp };

/** The same elements in another shape; moves nothing. One dimension may be -1: it takes what is left. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = shape.reduce((product, n) => n === -1 ? product : product * n, 1);
  return apply(reshapeOp, [x], { shape: shape.map((n) => n === -1 ? sizeOf(x.shape) / known : n) });
}

import { gatherVariants, scatterAddVariants, type ScatterAttrs } from "../../../kernels/gather.ts";
import { formatShape, sizeOf } from "../../util/shape.ts";
import type { TensorType } from "../gpu/kernel.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { defineOp } from "./define.ts";

function checkIndices(name: string, indices: TensorType): void {
  if (indices.dtype !== "u32" || indices.shape.length !== 1) {
    throw new TypeError(`${name}: want u32 indices [N], got ${indices.dtype} ${formatShape(indices.shape)}`);
  }
}

const gatherOp = defineOp({
  name: "gather",
  storage: "inherited",
  type([table, indices]) {
    checkIndices("gather", indices);
    if (table.shape.length === 0) throw new TypeError("gather: want a table [R, …], got a scalar []");
    return { shape: [indices.shape[0], ...table.shape.slice(1)], dtype: table.dtype };
  },
  reference([table, indices], { inputs, output }) {
    const [rows, ...rest] = inputs[0].shape;
    const width = sizeOf(rest), size = sizeOf(output.shape);
    const y = output.dtype === "u32" ? new Uint32Array(size) : new Float64Array(size);
    for (const [n, index] of indices.entries()) {
      const row = Math.min(index, rows - 1);
      y.set(table.subarray(row * width, (row + 1) * width), n * width);
    }
    return y;
  },
  gradient: (dy, { inputs: [table, indices] }) => [scatterAdd(dy, indices, table.shape[0]), null],
  lower: gatherVariants,
  flops: () => 0,
});

const scatterAddOp = defineOp<ScatterAttrs>({
  name: "scatterAdd",
  type([x, indices], { rows }) {
    checkIndices("scatterAdd", indices);
    if (x.dtype !== "f32" || x.shape[0] !== indices.shape[0]) {
      throw new TypeError(
        `scatterAdd: want f32 rows [${indices.shape[0]}, …], one an index, got ${x.dtype} ${
          formatShape(x.shape)
        }`,
      );
    }
    return { shape: [rows, ...x.shape.slice(1)], dtype: "f32" };
  },
  reference([x, indices], { output, attrs: { rows } }) {
    const width = sizeOf(output.shape) / rows;
    const y = new Float64Array(sizeOf(output.shape));
    for (let i = 0; i < x.length; i++) {
      y[Math.min(indices[Math.floor(i / width)], rows - 1) * width + i % width] += x[i];
    }
    return y;
  },
  gradient: (dy, { inputs: [, indices] }) => [gather(dy, indices), null],
  lower: scatterAddVariants,
  flops: (call) => sizeOf(call.inputs[0].shape),
});

export const gatherOps = { gather: gatherOp, scatterAdd: scatterAddOp };

/** Rows of a table [R, …], of either dtype, by u32 indices [N]. An index past the end names the last row. */
export function gather(table: Tensor, indices: Tensor): Tensor {
  return apply(gatherOp, [table, indices], {});
}

/** A table of `rows` rows, of which row r is the sum of the rows of x [N, …] with index r, in their order. */
export function scatterAdd(x: Tensor, indices: Tensor, rows: number): Tensor {
  return apply(scatterAddOp, [x, indices], { rows });
}

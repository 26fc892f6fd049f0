import { type MatmulAttrs, matmulSizes, matmulVariants } from "../../../kernels/matmul.ts";
import {
  type BiasAttrs,
  matmulParameterVariants,
  TRANSPOSED,
  transposedProductOf,
} from "../../../kernels/parameter_gradients.ts";
import { formatShape, sizeOf } from "../../util/shape.ts";
import type { Values } from "../graph/op.ts";
import { apply, applyInsteadOf, type Tensor } from "../graph/tensor.ts";
import { defineOp } from "./define.ts";
import { summedColumns, withColumnSums } from "./reduce.ts";

/** The last two dimensions as the product sees them. */
function rowsAndColumns(shape: readonly number[], transposed: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2);
  return transposed ? [columns, rows] : [rows, columns];
}

/** Matrices [rows, columns], one behind the other, each with rows and columns swapped. */
function transposedMatrices(x: Values, rows: number, columns: number): Float64Array {
  const size = rows * columns;
  return new Float64Array(x.length).map((_, at) => {
    const inner = at % size;
    return x[at - inner + (inner % rows) * columns + Math.floor(inner / rows)];
  });
}

/** One product, four columns at a time; every sum is taken in the order of k. The numbers behind arrays say where they begin. */
function multiply(
  a: Values,
  beginA: number,
  b: Values,
  beginB: number,
  y: Values,
  beginY: number,
  m: number,
  k: number,
  n: number,
): void {
  for (let row = 0; row < m; row++) {
    const from = beginA + row * k, to = beginY + row * n;
    let column = 0;
    for (; column + 4 <= n; column += 4) {
      let sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
      for (let j = 0, at = beginB + column; j < k; j++, at += n) {
        const left = a[from + j];
        sum0 += left * b[at];
        sum1 += left * b[at + 1];
        sum2 += left * b[at + 2];
        sum3 += left * b[at + 3];
      }
      y[to + column] = sum0;
      y[to + column + 1] = sum1;
      y[to + column + 2] = sum2;
      y[to + column + 3] = sum3;
    }
    for (; column < n; column++) {
      let sum = 0;
      for (let j = 0; j < k; j++) sum += a[from + j] * b[beginB + j * n + column];
      y[to + column] = sum;
    }
  }
}

const matmulOp = defineOp<MatmulAttrs>({
  name: "matmul",
  type([a, b], { transposeA, transposeB }) {
    if (a.dtype !== "f32" || b.dtype !== "f32") {
      throw new TypeError(`matmul: want f32 operands, got ${a.dtype} and ${b.dtype}`);
    }
    const operands = `${formatShape(a.shape)}${transposeA ? " (transposed)" : ""} and ` +
      `${formatShape(b.shape)}${transposeB ? " (transposed)" : ""}`;
    const rank = a.shape.length;
    if (rank !== b.shape.length || rank < 2 || rank > 3 || (rank === 3 && a.shape[0] !== b.shape[0])) {
      throw new TypeError(`matmul: want two matrices or two equally long batches of them, got ${operands}`);
    }
    const [m, k] = rowsAndColumns(a.shape, transposeA);
    const [inner, n] = rowsAndColumns(b.shape, transposeB);
    if (k !== inner) {
      throw new TypeError(
        `matmul: want as many columns on the left as rows on the right, got ${operands}: ${k} and ${inner}`,
      );
    }
    return { shape: [...a.shape.slice(0, -2), m, n], dtype: "f32" };
  },
  reference([a, b], call, into) {
    const { batch, m, n, k } = matmulSizes(call);
    const { transposeA, transposeB } = call.attrs;
    const left = transposeA ? transposedMatrices(a, k, m) : a;
    const right = transposeB ? transposedMatrices(b, n, k) : b;
    const y = into ?? new Float64Array(batch * m * n);
    for (let block = 0; block < batch; block++) {
      multiply(left, block * m * k, right, block * k * n, y, block * m * n, m, k, n);
    }
    return y;
  },
  gradient(dy, node) {
    const [a, b] = node.inputs;
    const { transposeA, transposeB } = node.attrs as MatmulAttrs;
    return [
      transposeA
        ? matmul(b, dy, { transposeA: transposeB, transposeB: true })
        : matmul(dy, b, { transposeB: !transposeB }),
      transposeB
        ? matmul(dy, a, { transposeA: true, transposeB: transposeA })
        : matmul(a, dy, { transposeA: !transposeA }),
    ];
  },
  // The gradients of a dense layer's parameters.
  beside(node, other, begin): Tensor | null {
    const [a, dy] = node.inputs, columns = dy.shape.at(-1)!;
    const { transposeA, transposeB } = node.attrs as MatmulAttrs;
    if (!transposeA || transposeB || a.shape.length > 2 || begin % columns !== 0) return null;
    if (summedColumns(other) !== dy) return null;
    return applyInsteadOf(node, parameterGradientsOp, { biasRow: begin / columns });
  },
  lower: matmulVariants,
  flops: (call) => 2 * sizeOf(call.output.shape) * matmulSizes(call).k,
});

/** Of y = x · w + b for x [N, F] and dy [N, C]: the gradient of w in rows, zeros up to `biasRow`, that of b. */
const parameterGradientsOp = defineOp<BiasAttrs>({
  name: "matmulParameterGradients",
  type(inputs, { biasRow }) {
    const { shape: [rows, columns] } = matmulOp.type(inputs, TRANSPOSED);
    if (inputs[0].shape.length !== 2 || !(biasRow >= rows)) {
      throw new RangeError(
        `matmulParameterGradients: want matrices and a row from ${rows} on for the bias, got row ${biasRow}`,
      );
    }
    return { shape: [biasRow + 1, columns], dtype: "f32" };
  },
  reference: ([x, dy], call) =>
    withColumnSums(matmulOp.reference([x, dy], transposedProductOf(call)), dy, call),
  lower: matmulParameterVariants,
  flops: (call) => matmulOp.flops(transposedProductOf(call)) + sizeOf(call.inputs[1].shape),
});

export const matmulOps = { matmul: matmulOp, matmulParameterGradients: parameterGradientsOp };

/**
 * Matrix product [M, K] × [K, N] → [M, N], or of two equally long batches [B, M, K] × [B, K, N] → [B, M, N]. An operand
 * marked as transposed is stored with its last two dimensions swapped.
 *
 * @throws {TypeError} where shapes do not fit.
 */
export function matmul(a: Tensor, b: Tensor, attrs: Partial<MatmulAttrs> = {}): Tensor {
  return apply(matmulOp, [a, b], { transposeA: false, transposeB: false, ...attrs });
}

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
import { vectorProduct } from "./vector_product.ts";

export type { MatmulAttrs } from "../../../kernels/matmul.ts";

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

/** Where a matrix begins among others. */
interface Matrix {
  readonly values: Values;
  readonly begin: number;
}

/** One product, two rows and four columns at a time; every sum is taken in the order of k. */
function multiply(left: Matrix, right: Matrix, result: Matrix, m: number, k: number, n: number): void {
  const a = left.values, b = right.values, y = result.values;
  for (let row = 0; row < m; row += 2) {
    // The last of an odd number of rows is its own companion.
    const other = row + 1 < m ? 1 : 0;
    const upper = left.begin + row * k, lower = upper + other * k;
    const to = result.begin + row * n, below = to + other * n;
    let column = 0;
    for (; column + 4 <= n; column += 4) {
      let u0 = 0, u1 = 0, u2 = 0, u3 = 0, l0 = 0, l1 = 0, l2 = 0, l3 = 0;
      for (let j = 0, at = right.begin + column; j < k; j++, at += n) {
        const u = a[upper + j], l = a[lower + j];
        const w0 = b[at], w1 = b[at + 1], w2 = b[at + 2], w3 = b[at + 3];
        u0 += u * w0;
        u1 += u * w1;
        u2 += u * w2;
        u3 += u * w3;
        l0 += l * w0;
        l1 += l * w1;
        l2 += l * w2;
        l3 += l * w3;
      }
      y[to + column] = u0;
      y[to + column + 1] = u1;
      y[to + column + 2] = u2;
      y[to + column + 3] = u3;
      y[below + column] = l0;
      y[below + column + 1] = l1;
      y[below + column + 2] = l2;
      y[below + column + 3] = l3;
    }
    for (; column < n; column++) {
      let u = 0, l = 0;
      for (let j = 0, at = right.begin + column; j < k; j++, at += n) {
        u += a[upper + j] * b[at];
        l += a[lower + j] * b[at];
      }
      y[to + column] = u;
      y[below + column] = l;
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
      const at = (values: Values, size: number): Matrix => ({ values, begin: block * size });
      multiply(at(left, m * k), at(right, k * n), at(y, m * n), m, k, n);
    }
    return y;
  },
  quick([a, b], call, into) {
    const { batch, m, n, k } = matmulSizes(call);
    if (batch > 1 || call.attrs.transposeA || call.attrs.transposeB) return null;
    const y = into ?? new Float64Array(m * n);
    return vectorProduct(a, b, y, m, k, n) ? y : null;
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

import {
  correctSumVariants,
  correctVariants,
  crossEntropyGradientVariants,
  crossEntropySumVariants,
  crossEntropyVariants,
  type ScaleAttrs,
  type SmoothingAttrs,
  softmaxGradientVariants,
  softmaxVariants,
} from "../../../kernels/loss.ts";
import { formatShape, type Shape, sizeOf } from "../../util/shape.ts";
import type { Call, TensorType } from "../gpu/kernel.ts";
import type { Values } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { defineOp } from "./define.ts";
import { constantOf, mul } from "./elementwise.ts";
import { reshape } from "./shape.ts";

function checkLabelled(name: string, logits: TensorType, labels: TensorType): void {
  if (logits.dtype !== "f32" || logits.shape.length !== 2) {
    throw new TypeError(`${name}: want f32 logits [N, K], got ${logits.dtype} ${formatShape(logits.shape)}`);
  }
  if (labels.dtype !== "u32" || labels.shape.length !== 1 || labels.shape[0] !== logits.shape[0]) {
    throw new TypeError(
      `${name}: want u32 labels [${logits.shape[0]}], one a row of logits, got ${labels.dtype} ` +
        formatShape(labels.shape),
    );
  }
}

/** exp(z − max) / Σ of one row, and log Σ exp z. */
function softmaxRow(z: Values): { probabilities: number[]; logSum: number } {
  const top = Math.max(...z);
  const exponentials = Array.from(z, (value) => Math.exp(value - top));
  const total = exponentials.reduce((a, b) => a + b);
  return { probabilities: exponentials.map((e) => e / total), logSum: top + Math.log(total) };
}

const targetOf = (k: number, label: number, classes: number, smoothing: number) =>
  (k === label ? 1 - smoothing : 0) + smoothing / classes;

const softmaxOp = defineOp({
  name: "softmax",
  type([x]) {
    if (x.dtype !== "f32" || x.shape.length === 0) {
      throw new TypeError(
        `softmax: want an f32 tensor of rank 1 or more, got ${x.dtype} ${formatShape(x.shape)}`,
      );
    }
    return x;
  },
  reference([x], { inputs }) {
    const k = inputs[0].shape.at(-1)!;
    const y = new Float64Array(x.length);
    for (let row = 0; row < x.length; row += k) {
      y.set(softmaxRow(x.subarray(row, row + k)).probabilities, row);
    }
    return y;
  },
  gradient: (dy, node) => [apply(softmaxGradientOp, [dy, node], {})],
  lower: softmaxVariants,
  flops: (call) => 4 * sizeOf(call.output.shape),
});

/** dx from dy and y, the softmax. */
const softmaxGradientOp = defineOp({
  name: "softmaxGradient",
  type: ([, y]) => ({ shape: y.shape, dtype: "f32" }),
  reference([dy, y], { inputs }) {
    const k = inputs[1].shape.at(-1)!;
    return new Float64Array(y.length).map((_, i) => {
      const row = i - i % k;
      let total = 0;
      for (let j = row; j < row + k; j++) total += dy[j] * y[j];
      return y[i] * (dy[i] - total);
    });
  },
  lower: softmaxGradientVariants,
  flops: (call) => 4 * sizeOf(call.output.shape),
});

function checkLoss(name: string, logits: TensorType, labels: TensorType, smoothing: number): void {
  checkLabelled(name, logits, labels);
  if (!(smoothing >= 0 && smoothing < 1)) {
    throw new RangeError(`${name}: want smoothing in [0, 1), got ${smoothing}`);
  }
}

/** Loss of each row. */
function lossRows(
  [logits, labels]: readonly Values[],
  { inputs, attrs }: Call<SmoothingAttrs>,
): Float64Array {
  const [n, classes] = inputs[0].shape;
  return new Float64Array(n).map((_, row) => {
    const z = logits.subarray(row * classes, (row + 1) * classes);
    const { logSum } = softmaxRow(z);
    let loss = 0;
    for (const [k, value] of z.entries()) {
      loss -= targetOf(k, labels[row], classes, attrs.smoothing) * (value - logSum);
    }
    return loss;
  });
}

/** Gradient of scale · loss for the logits, given the loss's cotangent `dy`, of shape [N] or []. */
function logitsGradient(dy: Tensor, { inputs: [logits, labels] }: Tensor, smoothing: number, scale: number) {
  const constant = constantOf(dy);
  const attrs = { smoothing, scale: scale * (constant ?? 1) };
  const gradient = apply(softmaxCrossEntropyGradientOp, [logits, labels], attrs);
  return [constant === null ? mul(gradient, reshape(dy, [-1, 1])) : gradient, null];
}

const softmaxCrossEntropyOp = defineOp<SmoothingAttrs>({
  name: "softmaxCrossEntropy",
  storage: "exact",
  type([logits, labels], { smoothing }) {
    checkLoss("softmaxCrossEntropy", logits, labels, smoothing);
    return { shape: labels.shape, dtype: "f32" };
  },
  reference: lossRows,
  gradient: (dy, node) => logitsGradient(dy, node, (node.attrs as SmoothingAttrs).smoothing, 1),
  total: (node, scale) =>
    apply(softmaxCrossEntropySumOp, node.inputs, { ...node.attrs as SmoothingAttrs, scale }),
  lower: crossEntropyVariants,
  flops: (call) => 5 * sizeOf(call.inputs[0].shape),
});

/** scale · Σ of the rows' losses: []. */
const softmaxCrossEntropySumOp = defineOp<SmoothingAttrs & ScaleAttrs>({
  name: "softmaxCrossEntropySum",
  storage: "exact",
  type([logits, labels], { smoothing }) {
    checkLoss("softmaxCrossEntropySum", logits, labels, smoothing);
    return { shape: [], dtype: "f32" };
  },
  reference: (values, call) => Float64Array.of(call.attrs.scale * totalOf(lossRows(values, call))),
  gradient(dy, node) {
    const { smoothing, scale } = node.attrs as SmoothingAttrs & ScaleAttrs;
    return logitsGradient(dy, node, smoothing, scale);
  },
  lower: crossEntropySumVariants,
  flops: (call) => 5 * sizeOf(call.inputs[0].shape),
});

const totalOf = (values: Float64Array) => values.reduce((a, b) => a + b, 0);

const softmaxCrossEntropyGradientOp = defineOp<SmoothingAttrs & ScaleAttrs>({
  name: "softmaxCrossEntropyGradient",
  storage: "exact",
  type: ([logits]) => ({ shape: logits.shape, dtype: "f32" }),
  reference([logits, labels], { inputs, attrs: { smoothing, scale } }) {
    const [n, classes] = inputs[0].shape;
    const result = new Float64Array(n * classes);
    for (let row = 0; row < n; row++) {
      const { probabilities } = softmaxRow(logits.subarray(row * classes, (row + 1) * classes));
      for (const [k, p] of probabilities.entries()) {
        result[row * classes + k] = (p - targetOf(k, labels[row], classes, smoothing)) * scale;
      }
    }
    return result;
  },
  lower: crossEntropyGradientVariants,
  flops: (call) => 6 * sizeOf(call.output.shape),
});

/** 1 for each row whose first maximum is at its label. */
function correctRows([logits, labels]: readonly Values[], [n, classes]: Shape): Float64Array {
  return new Float64Array(n).map((_, row) => {
    const z = logits.subarray(row * classes, (row + 1) * classes);
    return z.indexOf(Math.max(...z)) === labels[row] ? 1 : 0;
  });
}

const correctOp = defineOp({
  name: "correct",
  storage: "exact",
  type([logits, labels]) {
    checkLabelled("correct", logits, labels);
    return { shape: labels.shape, dtype: "f32" };
  },
  reference: (values, { inputs }) => correctRows(values, inputs[0].shape),
  total: (node, scale) => apply(correctSumOp, node.inputs, { scale }),
  lower: correctVariants,
  flops: (call) => sizeOf(call.inputs[0].shape),
});

/** scale · the number of correct rows: []. */
const correctSumOp = defineOp<ScaleAttrs>({
  name: "correctSum",
  storage: "exact",
  type([logits, labels]) {
    checkLabelled("correctSum", logits, labels);
    return { shape: [], dtype: "f32" };
  },
  reference: (values, { inputs, attrs }) =>
    Float64Array.of(attrs.scale * totalOf(correctRows(values, inputs[0].shape))),
  lower: correctSumVariants,
  flops: (call) => sizeOf(call.inputs[0].shape),
});

export const lossOps = {
  softmax: softmaxOp,
  softmaxGradient: softmaxGradientOp,
  softmaxCrossEntropy: softmaxCrossEntropyOp,
  softmaxCrossEntropySum: softmaxCrossEntropySumOp,
  softmaxCrossEntropyGradient: softmaxCrossEntropyGradientOp,
  correct: correctOp,
  correctSum: correctSumOp,
};

/** exp(x) / Σ exp(x) over the last dimension, without overflow. */
export function softmax(x: Tensor): Tensor {
  return apply(softmaxOp, [x], {});
}

/**
 * Cross-entropy of each row of logits [N, K] with its label [N], in nats: −Σ t·log softmax(logits), where the target t is
 * 1 − smoothing at the label plus smoothing / K everywhere (Szegedy et al. 2016, section 7). The result is [N].
 *
 * @throws {TypeError} if the labels are not u32, one a row.
 */
export function softmaxCrossEntropy(
  logits: Tensor,
  labels: Tensor,
  { smoothing = 0 }: { smoothing?: number } = {},
): Tensor {
  return apply(softmaxCrossEntropyOp, [logits, labels], { smoothing });
}

/** 1 for each row of logits [N, K] whose (first) maximum is at its label [N], else 0. It has no gradient. */
export function correct(logits: Tensor, labels: Tensor): Tensor {
  return apply(correctOp, [logits, labels], {});
}

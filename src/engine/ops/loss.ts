import {
  correctVariants,
  crossEntropyGradientVariants,
  crossEntropyVariants,
  meanCrossEntropyVariants,
  type ScaleAttrs,
  SCORES,
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
import { range, reshape } from "./shape.ts";

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

/** Gradient of scale · Σ of the rows' losses. */
function gradientRows(
  [logits, labels]: readonly Values[],
  [n, classes]: Shape,
  smoothing: number,
  scale: number,
): Float64Array {
  const result = new Float64Array(n * classes);
  for (let row = 0; row < n; row++) {
    const { probabilities } = softmaxRow(logits.subarray(row * classes, (row + 1) * classes));
    for (const [k, p] of probabilities.entries()) {
      result[row * classes + k] = (p - targetOf(k, labels[row], classes, smoothing)) * scale;
    }
  }
  return result;
}

/** Gradients of the rows' losses for the logits, given their cotangents `dy`. */
function logitsGradient(dy: Tensor, { inputs: [logits, labels], attrs }: Tensor) {
  const { smoothing } = attrs as SmoothingAttrs, constant = constantOf(dy);
  const gradient = apply(softmaxCrossEntropyGradientOp, [logits, labels], {
    smoothing,
    scale: constant ?? 1,
  });
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
  gradient: logitsGradient,
  lower: crossEntropyVariants,
  flops: (call) => 5 * sizeOf(call.inputs[0].shape),
});

const softmaxCrossEntropyGradientOp = defineOp<SmoothingAttrs & ScaleAttrs>({
  name: "softmaxCrossEntropyGradient",
  storage: "exact",
  type: ([logits]) => ({ shape: logits.shape, dtype: "f32" }),
  reference: (values, { inputs, attrs: { smoothing, scale } }) =>
    gradientRows(values, inputs[0].shape, smoothing, scale),
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
  lower: correctVariants,
  flops: (call) => sizeOf(call.inputs[0].shape),
});

const meanOf = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length;

/** [mean loss, share of correct rows, zeros up to 64 numbers, gradient · cotangent] of logits, labels and, if so, cotangent. */
const meanCrossEntropyOp = defineOp<SmoothingAttrs>({
  name: "meanCrossEntropy",
  storage: "exact",
  type([logits, labels, cotangent], { smoothing }) {
    checkLoss("meanCrossEntropy", logits, labels, smoothing);
    if (cotangent && (cotangent.dtype !== "f32" || cotangent.shape.length !== 0)) {
      throw new TypeError(
        `meanCrossEntropy: want an f32 cotangent [], got ${cotangent.dtype} ${formatShape(cotangent.shape)}`,
      );
    }
    return { shape: [SCORES + sizeOf(logits.shape)], dtype: "f32" };
  },
  reference(values, call) {
    const { inputs: [{ shape }], output, attrs: { smoothing } } = call;
    const result = new Float64Array(sizeOf(output.shape));
    result[0] = meanOf(lossRows(values, call));
    result[1] = meanOf(correctRows(values, shape));
    result.set(gradientRows(values, shape, smoothing, (values[2]?.[0] ?? 1) / shape[0]), SCORES);
    return result;
  },
  lower: meanCrossEntropyVariants,
  flops: (call) => 12 * sizeOf(call.inputs[0].shape),
});

/** The loss of `meanCrossEntropy`, its first operand, which also has the gradient for the logits, its second. */
const meanCrossEntropyLossOp = defineOp({
  name: "meanCrossEntropyLoss",
  type: () => ({ shape: [], dtype: "f32" }),
  reference: ([scores]) => scores.slice(0, 1),
  gradient(dy, { inputs: [scores, logits, , cotangent] }) {
    const gradient = range(scores, SCORES, logits.shape), constant = constantOf(dy);
    if (cotangent && dy !== cotangent) {
      throw new TypeError(
        "meanCrossEntropy: want its gradient by the cotangent that it was given, got another; " +
          "hand the same tensor to gradients()",
      );
    }
    return [null, cotangent || constant === 1 ? gradient : mul(gradient, dy)];
  },
  lower: "view",
  flops: () => 0,
});

export const lossOps = {
  softmax: softmaxOp,
  softmaxGradient: softmaxGradientOp,
  softmaxCrossEntropy: softmaxCrossEntropyOp,
  softmaxCrossEntropyGradient: softmaxCrossEntropyGradientOp,
  correct: correctOp,
  meanCrossEntropy: meanCrossEntropyOp,
  meanCrossEntropyLoss: meanCrossEntropyLossOp,
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

/** What one kernel computes of a batch for a training step. */
export interface BatchScores {
  /** Mean of `softmaxCrossEntropy`: []. */
  readonly loss: Tensor;
  /** The loss, the mean of `correct`, and zeros: [64]. */
  readonly scores: Tensor;
}

/**
 * The mean of `softmaxCrossEntropy` over the rows of logits [N, K], with its gradient in the same kernel. Where gradients()
 * begins with a `cotangent` [] (a loss scale), the kernel multiplies by it.
 *
 * @throws {TypeError} if the labels are not u32, one a row, or gradients() has another cotangent.
 */
export function meanCrossEntropy(
  logits: Tensor,
  labels: Tensor,
  { smoothing = 0, cotangent }: { smoothing?: number; cotangent?: Tensor | undefined } = {},
): BatchScores {
  const operands = cotangent ? [logits, labels, cotangent] : [logits, labels];
  const scores = apply(meanCrossEntropyOp, operands, { smoothing });
  return {
    loss: apply(meanCrossEntropyLossOp, [scores, ...operands], {}),
    scores: range(scores, 0, [SCORES]),
  };
}

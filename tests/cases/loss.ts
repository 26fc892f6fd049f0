import type { OpCase } from "./types.ts";

const labels = (n: number, below: number) => ({ shape: [n], dtype: "u32", fill: { below } } as const);

/** Logits whose exponentials overflow or vanish in float32. */
const extreme = { shape: [3, 4], fill: [1e4, -1e4, 0, 5, -1e4, -1e4, -1e4, -2e4, 300, 299, 300, -300] };

export const lossCases: readonly OpCase[] = [
  ...[[3, 10], [1, 1], [65, 7], [2, 3, 4], [5], [2, 200]].flatMap((shape): OpCase[] => [
    { name: `softmax: [${shape}]`, op: "softmax", inputs: [{ shape }], terms: shape.at(-1)! },
    {
      name: `softmaxGradient: [${shape}]`,
      op: "softmaxGradient",
      inputs: [{ shape }, { shape, fill: "positive" }],
      terms: shape.at(-1)!,
    },
  ]),
  // exp of a difference of 1e4 is 0 in float32 and the central differences of 1e4 lose digits.
  { name: "softmax: extreme", op: "softmax", inputs: [extreme], checkGradient: false },
  ...[0, 0.1].flatMap((smoothing) =>
    [[4, 10], [1, 1], [70, 3], [2, 100]].flatMap(([n, k]): OpCase[] => [
      {
        name: `softmaxCrossEntropy: [${n}, ${k}], smoothing ${smoothing}`,
        op: "softmaxCrossEntropy",
        inputs: [{ shape: [n, k] }, labels(n, k)],
        attrs: { smoothing },
        terms: k,
      },
      {
        name: `softmaxCrossEntropyGradient: [${n}, ${k}], smoothing ${smoothing}`,
        op: "softmaxCrossEntropyGradient",
        inputs: [{ shape: [n, k] }, labels(n, k)],
        attrs: { smoothing, scale: 0.5 },
        terms: k,
      },
    ])
  ),
  // One workgroup and several; rows of one lane and of many; with a loss scale and without.
  ...[[4, 10, 0], [1, 1, 0], [65, 7, 0.1], [600, 10, 0.1], [1100, 3, 0], [5, 100, 0.1], [300, 100, 0], [
    70,
    1000,
    0.1,
  ]]
    .flatMap(([n, k, smoothing], index): OpCase => ({
      name: `meanCrossEntropy: [${n}, ${k}], smoothing ${smoothing}`,
      op: "meanCrossEntropy",
      inputs: [{ shape: [n, k] }, labels(n, k), ...index % 2 === 0 ? [{ shape: [], fill: [3] }] : []],
      attrs: { smoothing },
      terms: n * k,
    })),
  {
    name: "softmaxCrossEntropy: extreme",
    op: "softmaxCrossEntropy",
    inputs: [extreme, { shape: [3], dtype: "u32", fill: [0, 3, 3] }],
    attrs: { smoothing: 0.1 },
    checkGradient: false,
  },
  {
    name: "softmaxCrossEntropyGradient: extreme",
    op: "softmaxCrossEntropyGradient",
    inputs: [extreme, { shape: [3], dtype: "u32", fill: [0, 3, 3] }],
    attrs: { smoothing: 0.1, scale: 1 },
  },
  {
    name: "meanCrossEntropy: extreme",
    op: "meanCrossEntropy",
    inputs: [extreme, { shape: [3], dtype: "u32", fill: [0, 3, 3] }],
    attrs: { smoothing: 0.1 },
  },
  {
    name: "meanCrossEntropy: the first of equals",
    op: "meanCrossEntropy",
    inputs: [
      { shape: [4, 3], fill: [1, 1, 0, 0, 2, 2, 3, 3, 3, -1, -1, -2] },
      { shape: [4], dtype: "u32", fill: [0, 2, 1, 0] },
    ],
    attrs: { smoothing: 0 },
  },
  // What it passes on as a gradient is in its first operand: tests/engine/ops/loss_test.ts.
  {
    name: "meanCrossEntropyLoss",
    op: "meanCrossEntropyLoss",
    inputs: [{ shape: [76] }, { shape: [4, 3] }, labels(4, 3)],
    checkGradient: false,
  },
  { name: "correct", op: "correct", inputs: [{ shape: [70, 5], fill: "distinct" }, labels(70, 5)] },
  {
    name: "correct: the first of equals",
    op: "correct",
    inputs: [
      { shape: [4, 3], fill: [1, 1, 0, 0, 2, 2, 3, 3, 3, -1, -1, -2] },
      { shape: [4], dtype: "u32", fill: [0, 2, 1, 0] },
    ],
  },
];

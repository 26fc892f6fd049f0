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
      {
        name: `softmaxCrossEntropySum: [${n}, ${k}], smoothing ${smoothing}`,
        op: "softmaxCrossEntropySum",
        inputs: [{ shape: [n, k] }, labels(n, k)],
        attrs: { smoothing, scale: 1 / n },
        terms: n * k,
      },
    ])
  ),
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
  ...[[70, 5], [300, 17], [3, 1]].map(([n, k]): OpCase => ({
    name: `correctSum: [${n}, ${k}]`,
    op: "correctSum",
    inputs: [{ shape: [n, k], fill: "distinct" }, labels(n, k)],
    attrs: { scale: 1 / n },
    terms: n,
  })),
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

import type { OpCase } from "./types.ts";

/** Of a convolution three wide with a padding of 1; `gap` rows of zeros stand before the bias. */
const convCase = (
  n: number,
  side: number,
  channels: number,
  out: number,
  gap: number,
  stride = 1,
): OpCase => ({
  name: `conv2dParameterGradients ${n}x${side}x${side}x${channels}→${out} s${stride}, ${gap} apart`,
  op: "conv2dParameterGradients",
  inputs: [
    { shape: [n, side, side, channels] },
    { shape: [n, Math.ceil(side / stride), Math.ceil(side / stride), out] },
  ],
  attrs: { stride, padding: 1, groups: 1, kernel: [3, 3], biasRow: 9 * channels + gap },
  terms: n * side * side,
});

const matmulCase = (rows: number, features: number, columns: number, gap: number): OpCase => ({
  name: `matmulParameterGradients ${rows}x${features} ${rows}x${columns}, ${gap} apart`,
  op: "matmulParameterGradients",
  inputs: [{ shape: [rows, features] }, { shape: [rows, columns] }],
  attrs: { biasRow: features + gap },
  terms: rows,
});

export const parameterGradientCases: readonly OpCase[] = [
  // Any number of channels, and channels in fours; the last with several tiles and parts of k.
  convCase(2, 5, 3, 4, 5),
  convCase(9, 15, 3, 8, 1),
  convCase(2, 6, 4, 8, 0, 2),
  convCase(3, 9, 16, 36, 3),
  // Channels in eights.
  convCase(2, 5, 8, 16, 8),
  matmulCase(12, 16, 8, 0),
  matmulCase(5, 7, 3, 0),
  matmulCase(6, 64, 10, 2),
  matmulCase(8, 12, 4, 4),
  matmulCase(140, 68, 36, 1),
];

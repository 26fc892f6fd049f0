import type { OpCase } from "./types.ts";

/** Shapes and axes that reach every path: rows and columns, by ones and by fours, short, split, and in several runs. */
const reductions: readonly { name: string; shape: number[]; axes: number[] }[] = [
  { name: "all", shape: [3, 5], axes: [0, 1] },
  { name: "a scalar", shape: [], axes: [] },
  { name: "no axis", shape: [3, 4], axes: [] },
  { name: "axes of size 1", shape: [3, 1, 4], axes: [1] },
  { name: "columns", shape: [7, 8], axes: [0] },
  { name: "columns, odd", shape: [6, 5], axes: [0] },
  { name: "rows", shape: [5, 8], axes: [1] },
  { name: "rows, odd", shape: [5, 7], axes: [1] },
  { name: "middle", shape: [2, 5, 4], axes: [1] },
  { name: "bias of a convolution", shape: [4, 10, 10, 12], axes: [0, 1, 2] },
  { name: "bias of a convolution, odd", shape: [4, 10, 10, 3], axes: [0, 1, 2] },
  { name: "long columns, split", shape: [5000, 4], axes: [0] },
  { name: "long columns, odd, split", shape: [3001, 3], axes: [0] },
  { name: "bias of a large batch", shape: [10_300, 8], axes: [0] },
  { name: "bias of a large batch, odd", shape: [17_000, 3], axes: [0] },
  { name: "many columns", shape: [40, 300], axes: [0] },
  { name: "many columns, odd", shape: [40, 67], axes: [0] },
  { name: "long rows", shape: [3, 160], axes: [1] },
  { name: "long rows, odd", shape: [3, 161], axes: [1] },
  { name: "everything, split", shape: [100, 104], axes: [0, 1] },
  { name: "everything, odd, split", shape: [101, 103], axes: [0, 1] },
  { name: "pooling", shape: [3, 8, 8, 8], axes: [1, 2] },
  { name: "outer and inner", shape: [6, 4, 5], axes: [0, 2] },
  { name: "alternating", shape: [3, 2, 50, 2, 4], axes: [0, 2, 4] },
  { name: "unsorted axes", shape: [2, 3, 4], axes: [2, 0] },
];

const lengthOf = (shape: number[], axes: number[]) =>
  axes.reduce((product, axis) => product * shape[axis], 1);

export const reduceCases: readonly OpCase[] = [
  ...reductions.map(({ name, shape, axes }): OpCase => ({
    name: `sum: ${name}`,
    op: "sum",
    inputs: [{ shape }],
    attrs: { axes, scale: 0.5 },
    terms: lengthOf(shape, axes),
  })),
  ...reductions.map(({ name, shape, axes }): OpCase => ({
    name: `max: ${name}`,
    op: "max",
    inputs: [{ shape, fill: "distinct" }],
    attrs: { axes },
  })),
  {
    name: "max: ties share",
    op: "max",
    inputs: [{ shape: [2, 4], fill: [1, 3, 3, 2, -5, -5, -5, -5] }],
    attrs: { axes: [1] },
    checkGradient: false,
  },
  {
    name: "max: far below 0",
    op: "max",
    inputs: [{ shape: [40], fill: Array.from({ length: 40 }, (_, k) => -1e30 * (k + 1)) }],
    attrs: { axes: [0] },
    checkGradient: false,
  },
  {
    name: "broadcastTo",
    op: "broadcastTo",
    inputs: [{ shape: [3, 1] }],
    attrs: { shape: [2, 3, 4], scale: 2 },
  },
];

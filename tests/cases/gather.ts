import type { OpCase } from "./types.ts";

const indices = (n: number, below: number) => ({ shape: [n], dtype: "u32", fill: { below } } as const);

export const gatherCases: readonly OpCase[] = [
  { name: "gather: rows", op: "gather", inputs: [{ shape: [7, 8] }, indices(5, 7)] },
  { name: "gather: odd rows", op: "gather", inputs: [{ shape: [3, 5] }, indices(9, 3)] },
  { name: "gather: scalars", op: "gather", inputs: [{ shape: [6] }, indices(70, 6)] },
  { name: "gather: images", op: "gather", inputs: [{ shape: [4, 2, 3, 4] }, indices(3, 4)] },
  { name: "gather: one row", op: "gather", inputs: [{ shape: [1, 2] }, indices(1, 1)] },
  {
    name: "gather: past the end",
    op: "gather",
    inputs: [{ shape: [3, 2] }, { shape: [2], dtype: "u32", fill: [3, 4294967295] }],
  },
  {
    name: "gather: u32",
    op: "gather",
    inputs: [{ shape: [9], dtype: "u32", fill: { below: 4294967295 } }, indices(5, 9)],
  },
  {
    name: "scatterAdd: repeated rows",
    op: "scatterAdd",
    inputs: [{ shape: [20, 4] }, indices(20, 3)],
    attrs: { rows: 5 },
    terms: 20,
  },
  {
    name: "scatterAdd: odd rows",
    op: "scatterAdd",
    inputs: [{ shape: [6, 3] }, indices(6, 4)],
    attrs: { rows: 4 },
    terms: 6,
  },
  {
    name: "scatterAdd: past the end",
    op: "scatterAdd",
    inputs: [{ shape: [2] }, { shape: [2], dtype: "u32", fill: [9, 1] }],
    attrs: { rows: 3 },
  },
];

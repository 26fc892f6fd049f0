import type { OpCase } from "./types.ts";

export const reduceCases: readonly OpCase[] = [
  {
    name: "sum: all",
    op: "sum",
    inputs: [{ shape: [3, 5] }],
    attrs: { axes: [0, 1], scale: 0.5 },
    terms: 15,
  },
  {
    name: "broadcastTo",
    op: "broadcastTo",
    inputs: [{ shape: [3, 1] }],
    attrs: { shape: [2, 3, 4], scale: 2 },
  },
];

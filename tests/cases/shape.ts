import type { OpCase } from "./types.ts";

const u32 = { dtype: "u32", fill: { below: 1000 } } as const;

export const shapeCases: readonly OpCase[] = [
  { name: "reshape", op: "reshape", inputs: [{ shape: [3, 4] }], attrs: { shape: [2, 6] } },
  {
    name: "range",
    op: "range",
    inputs: [{ shape: [3, 64] }],
    attrs: { begin: 64, shape: [70] },
    checkGradient: false,
  },
  { name: "slice: rows", op: "slice", inputs: [{ shape: [5, 8] }], attrs: { begin: [1, 0], size: [3, 8] } },
  {
    name: "slice: columns",
    op: "slice",
    inputs: [{ shape: [5, 8] }],
    attrs: { begin: [0, 4], size: [5, 4] },
  },
  {
    name: "slice: odd columns",
    op: "slice",
    inputs: [{ shape: [5, 7] }],
    attrs: { begin: [2, 1], size: [2, 5] },
  },
  {
    name: "slice: a box",
    op: "slice",
    inputs: [{ shape: [3, 4, 5, 8] }],
    attrs: { begin: [1, 1, 2, 3], size: [2, 2, 3, 4] },
  },
  {
    name: "slice: one element",
    op: "slice",
    inputs: [{ shape: [3, 4] }],
    attrs: { begin: [2, 1], size: [1, 1] },
  },
  {
    name: "slice: everything",
    op: "slice",
    inputs: [{ shape: [3, 4] }],
    attrs: { begin: [0, 0], size: [3, 4] },
  },
  { name: "slice: u32", op: "slice", inputs: [{ shape: [6], ...u32 }], attrs: { begin: [1], size: [3] } },
  { name: "pad: rows", op: "pad", inputs: [{ shape: [3, 8] }], attrs: { before: [1, 0], after: [2, 0] } },
  {
    name: "pad: images",
    op: "pad",
    inputs: [{ shape: [2, 3, 3, 4] }],
    attrs: { before: [0, 1, 1, 0], after: [0, 1, 2, 0] },
  },
  {
    name: "pad: channels, odd",
    op: "pad",
    inputs: [{ shape: [2, 2, 3] }],
    attrs: { before: [0, 0, 0], after: [0, 0, 1] },
  },
  {
    name: "pad: channels by fours",
    op: "pad",
    inputs: [{ shape: [2, 2, 4] }],
    attrs: { before: [0, 0, 4], after: [1, 0, 8] },
  },
  { name: "pad: nothing", op: "pad", inputs: [{ shape: [2, 3] }], attrs: { before: [0, 0], after: [0, 0] } },
  { name: "pad: a scalar", op: "pad", inputs: [{ shape: [] }], attrs: { before: [], after: [] } },
  { name: "pad: u32", op: "pad", inputs: [{ shape: [3], ...u32 }], attrs: { before: [2], after: [1] } },
  {
    name: "concat: rows",
    op: "concat",
    inputs: [{ shape: [2, 8] }, { shape: [1, 8] }, { shape: [3, 8] }],
    attrs: { axis: 0 },
  },
  {
    name: "concat: channels",
    op: "concat",
    inputs: [{ shape: [2, 3, 4] }, { shape: [2, 3, 8] }],
    attrs: { axis: 2 },
  },
  {
    name: "concat: odd channels",
    op: "concat",
    inputs: [{ shape: [2, 3, 1] }, { shape: [2, 3, 4] }],
    attrs: { axis: 2 },
  },
  { name: "concat: one", op: "concat", inputs: [{ shape: [2, 3] }], attrs: { axis: 1 } },
  {
    name: "concat: more than there are bindings",
    op: "concat",
    inputs: new Array(10).fill({ shape: [1] }),
    attrs: { axis: 0 },
  },
  {
    name: "concat: u32",
    op: "concat",
    inputs: [{ shape: [3], ...u32 }, { shape: [2], ...u32 }],
    attrs: { axis: 0 },
  },
  { name: "transpose: matrix", op: "transpose", inputs: [{ shape: [5, 8] }], attrs: { order: [1, 0] } },
  {
    name: "transpose: heads",
    op: "transpose",
    inputs: [{ shape: [2, 3, 5, 4] }],
    attrs: { order: [0, 2, 1, 3] },
  },
  {
    name: "transpose: everything moves",
    op: "transpose",
    inputs: [{ shape: [2, 3, 4, 5] }],
    attrs: { order: [3, 1, 0, 2] },
  },
  {
    name: "transpose: nothing moves",
    op: "transpose",
    inputs: [{ shape: [3, 4] }],
    attrs: { order: [0, 1] },
  },
  { name: "transpose: u32", op: "transpose", inputs: [{ shape: [2, 3], ...u32 }], attrs: { order: [1, 0] } },
];

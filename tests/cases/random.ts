import type { OpCase } from "./types.ts";

const key = (seed: number, step: number) => ({ shape: [2], dtype: "u32", fill: [seed, step] } as const);

export const randomCases: readonly OpCase[] = [
  { name: "randomBits", op: "randomBits", inputs: [key(1, 2)], attrs: { shape: [3, 40], stream: 3 } },
  {
    name: "randomBits: odd size, large key",
    op: "randomBits",
    inputs: [key(4294967295, 4294967295)],
    attrs: { shape: [7], stream: 4294967295 },
  },
  {
    name: "dropout",
    op: "dropout",
    inputs: [{ shape: [3, 40] }, key(1, 2)],
    attrs: { rate: 0.3, stream: 0 },
  },
  {
    name: "dropout: odd size",
    op: "dropout",
    inputs: [{ shape: [5, 3] }, key(7, 0)],
    attrs: { rate: 0.75, stream: 9 },
  },
  {
    name: "dropout: rate 0",
    op: "dropout",
    inputs: [{ shape: [6] }, key(7, 0)],
    attrs: { rate: 0, stream: 0 },
  },
];

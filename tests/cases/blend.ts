import type { OpCase } from "./types.ts";

export const blendCases: readonly OpCase[] = [[2, 3, 3, 8], [4, 5], [1, 4]].flatMap((shape): OpCase[] => {
  const gamma = { shape: shape.slice(-1) };
  return [
    {
      name: `blend: [${shape}]`,
      op: "blend",
      inputs: [{ shape }, { shape }, gamma, { shape: [], fill: [0.7] }],
      terms: shape.reduce((a, b) => a * b),
    },
    {
      name: `blend: [${shape}], at birth`,
      op: "blend",
      inputs: [{ shape }, { shape }, { ...gamma, fill: new Array(gamma.shape[0]).fill(0) }, {
        shape: [],
        fill: [1],
      }],
      terms: shape.reduce((a, b) => a * b),
    },
  ];
});

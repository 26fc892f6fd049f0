import type { OpCase } from "./types.ts";

const matmulCase = (
  m: number,
  k: number,
  n: number,
  transposeA = false,
  transposeB = false,
  batch?: number,
): OpCase => {
  const lead = batch === undefined ? [] : [batch];
  const name = [...lead, m, k, n].join("x") + (transposeA ? " aT" : "") + (transposeB ? " bT" : "");
  return {
    name: `matmul ${name}`,
    op: "matmul",
    inputs: [
      { shape: [...lead, ...(transposeA ? [k, m] : [m, k])] },
      { shape: [...lead, ...(transposeB ? [n, k] : [k, n])] },
    ],
    attrs: { transposeA, transposeB },
    terms: k,
  };
};

const transposes = [[false, false], [true, false], [false, true], [true, true]] as const;

export const matmulCases: readonly OpCase[] = [
  matmulCase(1, 1, 1),
  matmulCase(1, 4, 4),
  matmulCase(5, 3, 7),
  matmulCase(6, 12, 10),
  ...transposes.map(([a, b]) => matmulCase(3, 5, 2, a, b)),
  // Multiples of four: the register and the tiled kernels, with rows left over where a is not transposed.
  ...transposes.map(([a, b]) => matmulCase(a ? 8 : 6, 12, 8, a, b)),
  matmulCase(4, 8, 12, true, false, 3),
  matmulCase(5, 8, 12, false, true, 3),
  matmulCase(2, 3, 5, false, true, 2),
  // Multiples of eight: the kernels for matrix units, with rows left over where a is not transposed.
  ...transposes.map(([a, b]) => matmulCase(a ? 24 : 22, 40, 16, a, b)),
  matmulCase(8, 24, 40, true, true, 3),
  // More than one tile each way, none of them full.
  matmulCase(70, 36, 68),
  matmulCase(68, 36, 36, true, false),
  matmulCase(70, 36, 36, false, true),
  matmulCase(70, 72, 136),
  // Sizes that tiles and slabs divide, so that no place is checked; their derivatives are those of the others.
  ...transposes.map(([a, b]) => ({ ...matmulCase(128, 64, 128, a, b), checkGradient: false })),
  // Enough tiles of 64 by 64 for the large one to be chosen.
  matmulCase(8, 4, 8, false, false, 130),
  // Enough for the larger tiles in registers, with rows and columns left over.
  ...transposes.map(([a, b]) => matmulCase(a ? 20 : 18, 4, 12, a, b, 66)),
];

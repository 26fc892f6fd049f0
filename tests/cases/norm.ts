import type { Attrs } from "../../src/engine/gpu/kernel.ts";
import { sumsPitch } from "../../kernels/norm.ts";
import type { CaseInput, OpCase } from "./types.ts";

interface Setting {
  readonly name: string;
  readonly shape: readonly number[];
  readonly groups: number;
  readonly fill?: CaseInput["fill"];
}

const settings: readonly Setting[] = [
  { name: "images", shape: [2, 3, 3, 8], groups: 2 },
  { name: "many groups of 4 channels", shape: [16, 2, 3, 32], groups: 8 },
  { name: "many groups, long", shape: [16, 5, 7, 64], groups: 8 },
  { name: "one example", shape: [1, 5, 5, 12], groups: 3 },
  { name: "rows", shape: [6, 16], groups: 4 },
  { name: "one channel a group, chunked", shape: [1, 600, 8], groups: 8 },
  { name: "three channels a group", shape: [3, 4, 5, 12], groups: 4 },
  { name: "odd channels", shape: [2, 3, 2, 6], groups: 2 },
  { name: "odd channels, one each", shape: [1, 40, 5], groups: 5 },
  { name: "one group", shape: [2, 2, 2, 8], groups: 1 },
  { name: "more channels than a workgroup is wide", shape: [1, 40, 272], groups: 272 },
  { name: "several chunks and rows an invocation", shape: [1, 16_641, 32], groups: 32 },
  { name: "several whole chunks", shape: [1, 10_240, 8], groups: 8 },
];

/** Statistics as they may be: a mean and a positive variance. */
const statsFill = (count: number): number[] => [
  ...Array.from({ length: count }, (_, k) => (k % 7) / 3 - 1),
  ...Array.from({ length: count }, (_, k) => 0.5 + (k % 5) / 4),
];

const EPSILON = 1e-5;

function cases(
  { name, shape, groups }: Setting,
): OpCase[] {
  const n = shape[0], c = shape.at(-1)!, size = shape.reduce((a, b) => a * b, 1);
  const positions = size / n / c;
  const attrs: Attrs = { groups, epsilon: EPSILON };
  const stats: CaseInput = { shape: [2, n, groups], fill: statsFill(n * groups) };
  return [
    {
      name: `groupStats: ${name}`,
      op: "groupStats",
      inputs: [{ shape }],
      attrs: { groups },
      terms: size / n / groups,
    },
    {
      name: `groupNormalize: ${name}`,
      op: "groupNormalize",
      inputs: [{ shape }, stats, { shape: [c] }, { shape: [c] }],
      attrs,
      // The gradient presumes the statistics of x itself; tests/engine/ops/norm_test.ts checks it.
      checkGradient: false,
    },
    {
      name: `groupNormSums: ${name}`,
      op: "groupNormSums",
      inputs: [{ shape }, { shape }, stats],
      attrs,
      terms: positions,
    },
    {
      name: `groupNormInputGradient: ${name}`,
      op: "groupNormInputGradient",
      inputs: [{ shape }, { shape }, stats, { shape: [c] }, {
        shape: [2, n, sumsPitch({ n, p: positions, c })],
      }],
      attrs,
      terms: c / groups,
    },
  ];
}

export const normCases: readonly OpCase[] = [
  ...settings.flatMap(cases),
  {
    name: "groupStats: a mean far from 0",
    op: "groupStats",
    inputs: [{ shape: [1, 300, 4], fill: Array.from({ length: 1200 }, (_, k) => 1000 + (k % 13) / 64) }],
    attrs: { groups: 4 },
    terms: 300,
  },
  {
    name: "groupStats: equal values",
    op: "groupStats",
    inputs: [{ shape: [2, 6, 4], fill: new Array(48).fill(3) }],
    attrs: { groups: 2 },
    terms: 12,
  },
  {
    name: "groupNormalize: variance 0",
    op: "groupNormalize",
    inputs: [
      { shape: [1, 6, 4], fill: new Array(24).fill(3) },
      { shape: [2, 1, 1], fill: [3, 0] },
      { shape: [4] },
      { shape: [4] },
    ],
    attrs: { groups: 1, epsilon: EPSILON },
    checkGradient: false,
  },
  ...[0, 1].flatMap((component) =>
    [[2, 3, 8], [2, 80, 8], [2, 5, 3], [2, 1, 6]].map((shape): OpCase => ({
      name: `groupNormParameterGradient: component ${component} of [${shape}]`,
      op: "groupNormParameterGradient",
      inputs: [{ shape }],
      attrs: { component },
      terms: shape[1],
    }))
  ),
];

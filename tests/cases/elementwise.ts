import type { OpName } from "../../src/engine/ops/names.ts";
import type { CaseInput, OpCase } from "./types.ts";

const binaryShapes: Record<string, [number[], number[]]> = {
  "same": [[3, 8], [3, 8]],
  "odd": [[3, 5], [3, 5]],
  "per channel": [[2, 3, 3, 8], [8]],
  "per channel, odd": [[2, 3, 3, 5], [5]],
  "per example": [[4, 3, 8], [4, 1, 1]],
  "outer product": [[6, 1], [1, 4]],
  "middle": [[2, 1, 3, 4], [2, 5, 1, 4]],
  "scalar": [[3, 4], []],
};

function binary(op: OpName, fill: CaseInput["fill"] = "distinct"): OpCase[] {
  return Object.entries(binaryShapes).map(([name, [a, b]]) => ({
    name: `${op}: ${name}`,
    op,
    inputs: [{ shape: a, fill: "distinct" }, { shape: b, fill: fill! }],
  }));
}

function unary(op: OpName, fill: CaseInput["fill"] = "distinct", more: Partial<OpCase> = {}): OpCase[] {
  return [[2, 3, 8], [7], []].map((shape) => ({
    name: `${op}: [${shape}]`,
    op,
    inputs: [{ shape, fill: fill! }],
    ...more,
  }));
}

export const elementwiseCases: readonly OpCase[] = [
  ...binary("add"),
  ...binary("sub"),
  ...binary("mul"),
  ...binary("div", "positive"),
  ...binary("maximum", "normal"),
  ...unary("neg"),
  ...unary("exp"),
  ...unary("log", "positive"),
  ...unary("sqrt", "positive"),
  ...unary("square"),
  ...unary("relu"),
  ...unary("leakyRelu", "distinct", { attrs: { slope: 0.1 } }),
  ...unary("sigmoid"),
  ...unary("tanh"),
  ...unary("silu"),
  ...unary("gelu"),
  { name: "tanh: saturates", op: "tanh", inputs: [{ shape: [4], fill: [-1000, -20, 20, 1000] }] },
  // float32 holds 1 − σ(20) only as 0, so the derivative there has no correct digit.
  {
    name: "sigmoid: saturates",
    op: "sigmoid",
    inputs: [{ shape: [4], fill: [-200, -20, 20, 200] }],
    checkGradient: false,
  },
  { name: "full", op: "full", inputs: [], attrs: { shape: [3, 4], value: 0.1 } },
  {
    name: "gate",
    op: "gate",
    inputs: [{ shape: [2, 8] }, { shape: [2, 8], fill: "distinct" }],
    attrs: { slope: 0.25 },
  },
  { name: "gateAtLeast", op: "gateAtLeast", inputs: [{ shape: [2, 8] }, { shape: [2, 8] }, { shape: [8] }] },
  {
    name: "maximum: a tie goes to the first",
    op: "maximum",
    inputs: [{ shape: [2], fill: [1, 2] }, { shape: [2], fill: [1, 2] }],
    checkGradient: false,
  },
];

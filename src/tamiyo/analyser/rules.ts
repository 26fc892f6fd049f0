import type { OpClass } from "../../contracts/model_graph.ts";
import type { Tensor } from "../../engine/graph/tensor.ts";
import type { OpName } from "../../engine/ops/names.ts";

/** What an op is in a model's graph. */
export interface Rule {
  /** On one activation; null where it is part of the node that it follows. */
  readonly one: OpClass | null | ((node: Tensor) => OpClass);
  /** On activations of several nodes. Default: `one`, or "other". */
  readonly many?: OpClass;
  /** The operand whose node it is part of in any case. */
  readonly joins?: number;
}

const FOLLOWS: Rule = { one: null };
const ACTIVATION: Rule = { one: "activation" };
const PRODUCT: Rule = { one: "product" };
const POOL: Rule = { one: "pool" };
const OTHER: Rule = { one: "other" };
const SUM: Rule = { one: null, many: "sum" };
const CONVOLUTION: Rule = { one: ({ attrs }) => (attrs.groups as number) > 1 ? "depthwise" : "conv" };
const NORM: Rule = { one: "norm" };

/** Of every op. What only reverse passes hold is "other". */
const rules: Readonly<Record<OpName, Rule>> = {
  full: FOLLOWS,
  add: SUM,
  sub: SUM,
  mul: FOLLOWS,
  div: FOLLOWS,
  maximum: { one: "activation", many: "other" },
  neg: FOLLOWS,
  exp: ACTIVATION,
  log: ACTIVATION,
  sqrt: ACTIVATION,
  square: ACTIVATION,
  relu: ACTIVATION,
  leakyRelu: ACTIVATION,
  sigmoid: ACTIVATION,
  tanh: ACTIVATION,
  silu: ACTIVATION,
  gelu: ACTIVATION,
  gate: OTHER,
  gateAtLeast: OTHER,
  sum: POOL,
  broadcastTo: FOLLOWS,
  max: POOL,
  groupStats: NORM,
  groupNormalize: { one: "norm", joins: 1 },
  groupNormSums: OTHER,
  groupNormInputGradient: OTHER,
  groupNormParameterGradient: OTHER,
  matmul: PRODUCT,
  matmulParameterGradients: OTHER,
  conv2d: CONVOLUTION,
  conv2dInputGradient: OTHER,
  conv2dWeightGradient: OTHER,
  conv2dParameterGradients: OTHER,
  reshape: FOLLOWS,
  range: FOLLOWS,
  slice: FOLLOWS,
  pad: FOLLOWS,
  concat: OTHER,
  transpose: FOLLOWS,
  maxPool2d: POOL,
  maxPool2dGradient: OTHER,
  averagePool2d: POOL,
  averagePool2dGradient: OTHER,
  softmax: ACTIVATION,
  softmaxGradient: OTHER,
  softmaxCrossEntropy: OTHER,
  softmaxCrossEntropyGradient: OTHER,
  correct: OTHER,
  meanCrossEntropy: OTHER,
  meanCrossEntropyLoss: OTHER,
  gather: OTHER,
  scatterAdd: OTHER,
  segmentSum: POOL,
  segmentMean: POOL,
  segmentMeanGradient: OTHER,
  segmentMax: POOL,
  segmentMaxGradient: OTHER,
  randomBits: OTHER,
  dropout: FOLLOWS,
  loadImages: { one: "input" },
  blend: SUM,
};

/** A formula that a program has brought along does something to an activation; what else it may be, nobody knows. */
const FORMULA: Rule = { one: "activation", many: "other" };

/** The rule of a node's op, also of one that is not the engine's. */
export function ruleOf({ op }: Tensor): Rule {
  if (Object.hasOwn(rules, op!.name)) return rules[op!.name as OpName];
  return typeof op!.lower === "object" && "wgsl" in op!.lower ? FORMULA : OTHER;
}

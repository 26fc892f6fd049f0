import adamwSource from "../shaders/optim/adamw.wgsl" with { type: "text" };
import blockSquaresSource from "../shaders/optim/block_squares.wgsl" with { type: "text" };
import groupNormsSource from "../shaders/optim/group_norms.wgsl" with { type: "text" };
import sgdSource from "../shaders/optim/sgd.wgsl" with { type: "text" };
import { type Dispatch, workgroupsFor } from "../src/engine/gpu/kernel.ts";

/** Numbers that share one entry of the block table. */
export const BLOCK = 64;

/** Gradient norm of each group: inputs are the block table and the flat gradients; scratch 0 holds a square a block. */
export function lowerGroupNorms(blocks: number, groups: number): Dispatch[] {
  return [{
    name: "optim/block_squares",
    source: blockSquaresSource,
    constants: { BLOCKS: blocks },
    operands: [{ input: 0 }, { input: 1 }, { scratch: 0 }],
    workgroups: workgroupsFor(blocks, 64),
  }, {
    name: "optim/group_norms",
    source: groupNormsSource,
    constants: { BLOCKS: blocks },
    operands: [{ input: 0 }, { scratch: 0 }, "output"],
    workgroups: [groups, 1, 1],
  }];
}

export type UpdateRule =
  | { readonly kind: "sgd"; readonly momentum: number; readonly nesterov: boolean }
  | { readonly kind: "adamw"; readonly beta1: number; readonly beta2: number; readonly epsilon: number };

/** Bindings: block table, group table, norms, gradients, parameters, then one buffer a moment. */
export function lowerUpdate(rule: UpdateRule, blocks: number): Dispatch {
  const count4 = blocks * BLOCK / 4;
  const shared = { workgroups: workgroupsFor(count4, 64) };
  const operands = (moments: number) => Array.from({ length: 5 + moments }, (_, input) => ({ input }));
  if (rule.kind === "sgd") {
    return {
      name: "optim/sgd",
      source: sgdSource,
      constants: { MOMENTUM: rule.momentum, NESTEROV: rule.nesterov ? 1 : 0, COUNT4: count4 },
      operands: operands(1),
      ...shared,
    };
  }
  return {
    name: "optim/adamw",
    source: adamwSource,
    constants: {
      BETA1: rule.beta1,
      BETA2: rule.beta2,
      GAIN1: 1 - rule.beta1,
      GAIN2: 1 - rule.beta2,
      EPSILON: rule.epsilon,
      COUNT4: count4,
    },
    operands: operands(2),
    ...shared,
  };
}

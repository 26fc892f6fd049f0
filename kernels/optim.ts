import adamwSource from "../shaders/optim/adamw.wgsl" with { type: "text" };
import blockSquaresSource from "../shaders/optim/block_squares.wgsl" with { type: "text" };
import lookaheadSource from "../shaders/optim/lookahead.wgsl" with { type: "text" };
import groupNormsSource from "../shaders/optim/group_norms.wgsl" with { type: "text" };
import sgdSource from "../shaders/optim/sgd.wgsl" with { type: "text" };
import { type DeviceTraits, type Dispatch, type Operand, workgroupsFor } from "../src/engine/gpu/kernel.ts";

/** Numbers that share one entry of the block table. */
export const BLOCK = 64;

/** How parameters follow their gradients: SGD with momentum (Sutskever et al. 2013), or AdamW (Loshchilov & Hutter 2019). */
export type UpdateRule =
  | { readonly kind: "sgd"; readonly momentum: number; readonly nesterov: boolean }
  | { readonly kind: "adamw"; readonly beta1: number; readonly beta2: number; readonly epsilon: number };

/** Multiplications, additions, divisions and roots that one number takes to be updated, as the kernels have them. */
export function updateFlops(rule: UpdateRule): number {
  if (rule.kind === "adamw") return 15;
  return rule.nesterov ? 8 : 6;
}

/** A loss scale that grows after so many steps without a fault, and stands at that block of the parameters. */
export interface DynamicScale {
  /** Steps without a fault after which the scale doubles. */
  readonly growthSteps: number;
  /** It never falls below. */
  readonly least: number;
  /** Block of the parameters in which it stands with its counts. */
  readonly block: number;
}

/** Numbers in a block of the flat gradients, squared and summed: block table and gradients in, a number a block out. */
export function lowerBlockSquares(blocks: number): Dispatch {
  return {
    name: "optim/block_squares",
    source: blockSquaresSource,
    constants: { BLOCKS: blocks },
    operands: [{ input: 0 }, { input: 1 }, "output"],
    workgroups: workgroupsFor(blocks, 64),
  };
}

const stateConstants = (scale: DynamicScale | null): Record<string, number> =>
  scale ? { DYNAMIC: 1, STATE: scale.block * BLOCK / 4 } : {};

const inputs = (count: number): Operand[] => Array.from({ length: count }, (_, input) => ({ input }));

/** Bindings: block table, squares, group table, parameters, then what it writes: rows for the update, and norms. */
export function lowerGroupNorms(
  blocks: number,
  groups: number,
  clip: boolean,
  scale: DynamicScale | null,
  { software }: DeviceTraits,
): Dispatch {
  return {
    name: "optim/group_norms",
    source: groupNormsSource,
    constants: {
      BLOCKS4: Math.ceil(blocks / 4),
      GROUPS: groups,
      LANES: software ? 64 : 256,
      CLIPPED: Number(clip),
      ...stateConstants(scale),
    },
    operands: inputs(6),
    workgroups: [groups, 1, 1],
  };
}

/** Bindings: block table, a share a group, parameters, slow parameters. */
export function lowerLookahead(blocks: number): Dispatch {
  const count4 = blocks * BLOCK / 4;
  return {
    name: "optim/lookahead",
    source: lookaheadSource,
    constants: { COUNT4: count4 },
    operands: inputs(4),
    workgroups: workgroupsFor(count4, 64),
  };
}

export interface UpdateOptions {
  /** Whether rows come from `lowerGroupNorms`, which ran before. */
  readonly scaled: boolean;
  /** Whether the square of each block is left behind. */
  readonly squares: boolean;
  readonly scale: DynamicScale | null;
}

/** Bindings: block table, group rows, gradients, parameters, one buffer a moment, squares. */
export function lowerUpdate(
  rule: UpdateRule,
  blocks: number,
  { scaled, squares, scale }: UpdateOptions,
  { software }: DeviceTraits,
): Dispatch {
  const count4 = blocks * BLOCK / 4;
  const unit = software ? BLOCK / 4 : 1;
  const shared = {
    COUNT4: count4,
    UNIT: unit,
    SCALED: Number(scaled),
    SQUARES: Number(squares),
    ...stateConstants(scale),
    ...(scale ? { GROWTH_STEPS: scale.growthSteps, LEAST: scale.least } : {}),
  };
  const workgroups = workgroupsFor(count4 / unit, 64);
  if (rule.kind === "sgd") {
    return {
      name: "optim/sgd",
      source: sgdSource,
      constants: { MOMENTUM: rule.momentum, NESTEROV: Number(rule.nesterov), ...shared },
      operands: inputs(6),
      workgroups,
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
      ...shared,
    },
    operands: inputs(7),
    workgroups,
  };
}

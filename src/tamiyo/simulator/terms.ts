import type { RunConfig } from "../../contracts/config.ts";
import type { SeedMode } from "../../contracts/growth.ts";
import type { Candidates } from "../../contracts/model_graph.ts";

/** A seed as the simulated programs hold it. */
export interface Planted {
  readonly blueprint: string;
  readonly mode: SeedMode;
}

/** Seeds by slot. */
export type Plot = Readonly<Record<string, Planted>>;

/** What time and size mean in a run. */
export interface Terms {
  readonly config: RunConfig;
  /** Parameters, and FLOPs of a forward pass for one example, of the host alone. */
  readonly host: { readonly params: number; readonly flops: number };
  /** FLOPs of the host's first layer alone, whose input needs no gradient. */
  readonly first: number;
  readonly candidates: Candidates;
  /** Forward FLOPs for one example of the host behind each slot. */
  readonly behind: Readonly<Record<string, number>>;
}

const GIGA = 1e9;
/** A training step in forward passes: forward, gradients of activations, gradients of weights. */
const STEP_PASSES = 3;

export const budgetOf = ({ config }: Terms): number => config.train.budgetGflop * GIGA;

/** FLOPs that the host's own steps take in a tick. */
export function hostTickFlops({ config: { train, loop }, host, first }: Terms): number {
  return train.batch * loop.tickSteps * (STEP_PASSES * host.flops - first);
}

/** FLOPs of a tick: steps, shadow passes (the host's weights get no gradient there), and what is measured at its end. */
export function tickFlops(terms: Terms, plot: Plot): number {
  const { config: { train: { batch }, loop, growth }, host, first, candidates, behind } = terms;
  let forward = host.flops, shadow = 0, evaluations = 1;
  for (const [slot, { blueprint, mode }] of Object.entries(plot)) {
    const { flops } = candidates[slot][blueprint];
    if (mode === "shadow" || mode === "ste") {
      shadow += STEP_PASSES * flops + (STEP_PASSES - 1) * behind[slot];
      evaluations++;
    } else {
      forward += flops;
      // Switched off once more, to see whether it would be missed.
      if (mode === "blend") evaluations++;
    }
  }
  const steps = loop.tickSteps * (STEP_PASSES * forward - first + shadow / growth.shadowEvery);
  return batch * (steps + loop.controlBatches * evaluations * forward);
}

/**
 * Integral of the learning rate, as a share of its peak, from the start to a share `progress` of the budget: linear
 * warm-up, then a cosine.
 */
export function rateIntegral(
  progress: number,
  { warmup, final }: RunConfig["train"]["learningRate"],
): number {
  if (progress < warmup) return progress ** 2 / (2 * warmup);
  const t = Math.min(1, (progress - warmup) / (1 - warmup));
  return warmup / 2 + (1 - warmup) * (final * t + (1 - final) * (t + Math.sin(Math.PI * t) / Math.PI) / 2);
}

import type { Fit } from "../contracts/blueprint.ts";
import type { GatesConfig } from "../contracts/config.ts";
import type { Measurement, Stage } from "../contracts/control.ts";
import type { Evidence, VetoReason } from "../contracts/lifecycle.ts";
import type { Trend } from "./trend.ts";

/** What a gate says: the first condition that does not hold, and the numbers it looked at. */
export interface Verdict {
  readonly pass: boolean;
  readonly reason: VetoReason | null;
  readonly evidence: Evidence;
}

/** Removal costs older than this many ticks say nothing of the present network. */
const FRESH_TICKS = 3;

type Condition = readonly [VetoReason, boolean];

/** The first condition that does not hold, with the facts as evidence. */
export function verdict(
  conditions: readonly Condition[],
  facts: Record<string, number | string | null>,
): Verdict {
  const failed = conditions.find(([, holds]) => !holds);
  const evidence = Object.entries(facts).map(([key, value]) =>
    [key, typeof value === "number" && !Number.isFinite(value) ? String(value) : value] as const
  );
  return { pass: !failed, reason: failed?.[0] ?? null, evidence: Object.fromEntries(evidence) };
}

/** mean − confidence · se: what the true mean exceeds with the chosen confidence. */
export function lowerBound(measurement: Measurement, confidence: number): number {
  return measurement.mean - confidence * measurement.se;
}

export interface GerminationFacts {
  readonly stage: Stage;
  /** Ticks that the slot is still barred. */
  readonly embargo: number;
  /** Seeds alive in all slots. */
  readonly live: number;
  readonly maxLive: number;
  /** Parameters and forward FLOPs of the host, and of all seeds already there. */
  readonly host: { readonly params: number; readonly flops: number };
  readonly grown: { readonly params: number; readonly flops: number };
  readonly paramsBudget: number;
  readonly flopsBudget: number;
  readonly fit: Fit;
  readonly ticksLeft: number;
  /** Why the governor refuses any growth now; null where it allows it. */
  readonly governor: string | null;
}

/** G0, DORMANT → GERMINATED: slot free, network within its budgets, time enough for the seed to pay. */
export function g0(facts: GerminationFacts, limits: GatesConfig): Verdict {
  const { fit, host, grown } = facts;
  const params = host.params + grown.params + (fit.fits ? fit.parameters : 0);
  const flops = host.flops + grown.flops + (fit.fits ? fit.flops : 0);
  const paramsLimit = facts.paramsBudget * host.params, flopsLimit = facts.flopsBudget * host.flops;
  return verdict([
    ["wrong_stage", facts.stage === "DORMANT"],
    ["embargo", facts.embargo <= 0],
    ["governor", facts.governor === null],
    ["live_limit", facts.live < facts.maxLive],
    ["too_late", facts.ticksLeft >= limits.minTicksLeft],
    ["does_not_fit", fit.fits],
    ["parameter_budget", params <= paramsLimit],
    ["flop_budget", flops <= flopsLimit],
  ], {
    stage: facts.stage,
    embargo: facts.embargo,
    governor: facts.governor ?? "allows",
    live: facts.live,
    liveLimit: facts.maxLive,
    ticksLeft: facts.ticksLeft,
    fit: fit.fits ? "fits" : fit.reason,
    params,
    paramsLimit,
    flops,
    flopsLimit,
  });
}

export interface CompilationFacts {
  readonly ticksInStage: number;
  /** The running program holds the seed; its kernels were validated before. */
  readonly ready: boolean;
  /** Numbers of the seed in the optimiser, and as its blueprint declares them. */
  readonly parameters: number | null;
  readonly declared: number;
  /** Updates that they have had. */
  readonly updates: number | null;
}

/** G1, GERMINATED → TRAINING: the seed's kernels run, and all its parameters are in the optimiser, their state fresh. */
export function g1({ ticksInStage, ready, parameters, declared, updates }: CompilationFacts): Verdict {
  return verdict([
    ["not_compiled", ready],
    ["parameters_missing", parameters === declared],
    ["state_not_fresh", updates === 0],
  ], { ticks: ticksInStage, parameters, declared, updates });
}

export interface TrainingFacts {
  readonly stage: Stage;
  readonly ticksInStage: number;
  readonly gradNorm: number | null;
  readonly hostGradNorm: number | null;
  readonly advantage: Measurement | null;
}

/** G2, TRAINING → BLENDING: the seed learns at a sane pace and lowers the control loss beyond doubt. */
export function g2(facts: TrainingFacts, limits: GatesConfig): Verdict {
  const { gradNorm, hostGradNorm, advantage } = facts;
  const known = gradNorm !== null && hostGradNorm !== null;
  const ratio = known ? gradNorm / hostGradNorm : null;
  const bound = advantage && lowerBound(advantage, limits.confidence);
  return verdict([
    ["wrong_stage", facts.stage === "TRAINING"],
    ["too_early", facts.ticksInStage >= limits.trainingTicks],
    ["gradient_unmeasured", known],
    ["gradient_not_finite", Number.isFinite(gradNorm) && Number.isFinite(hostGradNorm)],
    [
      "gradient_ratio",
      ratio !== null && ratio >= limits.gradientRatioMin && ratio <= limits.gradientRatioMax,
    ],
    ["advantage_unmeasured", advantage !== null],
    ["advantage_batches", advantage !== null && advantage.n >= limits.advantageBatches],
    ["advantage_unproven", bound !== null && bound > 0],
  ], {
    ticksInStage: facts.ticksInStage,
    gradNorm,
    gradientRatio: ratio,
    advantage: advantage?.mean ?? null,
    se: advantage?.se ?? null,
    batches: advantage?.n ?? null,
    lowerBound: bound,
  });
}

export interface BlendingFacts {
  readonly alpha: number;
  readonly controlLoss: Measurement | null;
  /** The control loss where the ramp began. */
  readonly anchor: Pick<Measurement, "mean" | "se"> | null;
}

/** G3, BLENDING → HOLDING: α is 1 and the control loss is within tolerance of its start. */
export function g3(facts: BlendingFacts, limits: GatesConfig): Verdict {
  const { alpha, controlLoss, anchor } = facts;
  const limit = anchor && anchor.mean * (1 + limits.lossTolerance) + limits.lossSigmas * anchor.se;
  return verdict([
    ["alpha_below_one", alpha === 1],
    ["loss_unmeasured", controlLoss !== null && limit !== null],
    ["loss_regressed", controlLoss !== null && limit !== null && controlLoss.mean <= limit],
  ], {
    alpha,
    controlLoss: controlLoss?.mean ?? null,
    startLoss: anchor?.mean ?? null,
    limit,
  });
}

export interface HoldingFacts {
  readonly stage: Stage;
  readonly ticksInStage: number;
  /** The latest removal cost and its age in ticks. */
  readonly removal: (Measurement & { readonly age: number }) | null;
  /** Removal costs in a row, up to the latest, with a lower bound above 0. */
  readonly removalPasses: number;
  /** How the removal cost has moved in this stay in HOLDING, per tick. */
  readonly trend: Trend | null;
}

/**
 * G4, HOLDING → FOSSILIZED: the network is proven to miss the seed, and does not miss it less and less since it came to full
 * strength. The test for that is of the slope, so that a first measurement that was lucky counts for less with each that
 * follows.
 * Removal cost can only refuse: a useless seed may be missed too, where the host has adapted to it.
 */
export function g4(facts: HoldingFacts, limits: GatesConfig): Verdict {
  const { removal, trend } = facts;
  const bound = removal && lowerBound(removal, limits.confidence);
  // Falling: the slope is below what the standard errors explain.
  // One measurement alone tells nothing of a slope, however little confidence is asked for.
  const highest = trend && (trend.se === Infinity ? Infinity : trend.slope + limits.confidence * trend.se);
  return verdict([
    ["wrong_stage", facts.stage === "HOLDING"],
    ["too_early", facts.ticksInStage >= limits.holdingTicks],
    ["removal_unmeasured", removal !== null],
    ["removal_stale", removal !== null && removal.age <= FRESH_TICKS],
    ["removal_unproven", bound !== null && bound > 0 && facts.removalPasses >= limits.removalMeasurements],
    ["advantage_falling", highest !== null && highest >= 0],
  ], {
    ticksInStage: facts.ticksInStage,
    removalCost: removal?.mean ?? null,
    se: removal?.se ?? null,
    removalAge: removal?.age ?? null,
    lowerBound: bound,
    measurements: facts.removalPasses,
    slope: trend?.slope ?? null,
    slopeSe: trend && trend.se < Infinity ? trend.se : null,
  });
}

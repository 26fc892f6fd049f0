/** The lifecycle of a slot as data: stages, the edges between them, and what each edge and refusal is recorded as. */
import { z } from "zod";
import { Stage } from "./control.ts";
import { LoggedNumber } from "./logged_number.ts";
import type * as types from "./types/lifecycle.ts";

/** Every stage; the position is the code that state tables store. */
export const STAGES = Stage.options;

/**
 * Every legal edge; no other exists. A seed with α > 0 that is to be pruned first ramps α down to 0 within its stage and
 * takes the edge to PRUNED when α is exactly 0.
 */
export const EDGES: Readonly<Record<Stage, readonly Stage[]>> = {
  DORMANT: ["GERMINATED"],
  GERMINATED: ["TRAINING", "PRUNED"],
  TRAINING: ["BLENDING", "PRUNED"],
  BLENDING: ["HOLDING", "PRUNED"],
  HOLDING: ["FOSSILIZED", "PRUNED"],
  FOSSILIZED: [],
  PRUNED: ["EMBARGOED"],
  EMBARGOED: ["RESETTING"],
  RESETTING: ["DORMANT"],
};

/** Stages in which a slot holds a seed that may still be pruned. */
export const LIVE_STAGES: readonly Stage[] = ["GERMINATED", "TRAINING", "BLENDING", "HOLDING"];

/** Why an edge was taken. */
const EDGE_REASONS = [
  "action", // the controller asked for it
  "governor", // the governor pruned the seed at once
  "compiled", // the seed's program is running
  "compile_timeout", // the seed's program was not ready in time
  "gate", // the gate held at the last tick of TRAINING, and no action had come
  "no_benefit", // no proven advantage by the last tick of TRAINING
  "not_finite", // the seed's gradient is NaN or infinite
  "blended", // α is 1 and the control loss is no worse
  "regression", // the control loss rose while α grew, or a guarded ramp waited too long
  "holding_timeout", // HOLDING ended without an action to fossilise
  "released", // the seed's memory was returned
  "elapsed", // the time of a resting stage is over
] as const satisfies readonly types.EdgeReason[];
export type EdgeReason = types.EdgeReason;

/** Numbers and names that a decision rests on. */
export const Evidence = z.record(
  z.string(),
  z.union([LoggedNumber, z.string(), z.boolean(), z.null()]),
) satisfies z.ZodType<types.Evidence>;
export type Evidence = types.Evidence;

/** Why a seed that is being blended out will be pruned; saved, numbers that are not finite are text, and stay it. */
export const Doom = z.strictObject({
  reason: z.enum(EDGE_REASONS),
  evidence: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
});
export type Doom = Readonly<z.output<typeof Doom>>;

/** One transition of one slot, as history keeps it. */
export const Edge = z.strictObject({
  tick: z.int().min(0),
  step: z.int().min(0),
  slot: z.string(),
  /** Unique within a run: `slot/generation`. */
  seed: z.string(),
  blueprint: z.string().nullable(),
  from: Stage,
  to: Stage,
  reason: z.enum(EDGE_REASONS),
  evidence: Evidence,
}) satisfies z.ZodType<types.Edge>;
export type Edge = types.Edge;

/** Why an action is refused. */
export type VetoReason =
  | "unknown_slot"
  | "wrong_stage"
  | "blending_out"
  | "too_young"
  | "too_early"
  | "too_late"
  | "embargo"
  | "governor"
  | "live_limit"
  | "does_not_fit"
  | "parameter_budget"
  | "flop_budget"
  | "not_compiled"
  | "parameters_missing"
  | "state_not_fresh"
  | "gradient_unmeasured"
  | "gradient_not_finite"
  | "gradient_ratio"
  | "advantage_unmeasured"
  | "advantage_batches"
  | "advantage_unproven"
  | "alpha_below_one"
  | "loss_unmeasured"
  | "loss_regressed"
  | "removal_unmeasured"
  | "removal_stale"
  | "removal_unproven"
  | "advantage_falling";

/** A refusal, with what it rests on. */
export interface Veto {
  readonly reason: VetoReason;
  readonly evidence: Evidence;
}

/** What is recorded of a slot's lifecycle. Schemas in `contracts/lifecycle.ts` check the same. */
import type { Stage } from "./control.ts";

/** Why an edge was taken. */
export type EdgeReason =
  /** The controller asked for it. */
  | "action"
  /** The governor pruned the seed at once. */
  | "governor"
  /** The seed's program is running. */
  | "compiled"
  /** The seed's program was not ready in time. */
  | "compile_timeout"
  /** The gate held at the last tick of TRAINING, and no action had come. */
  | "gate"
  /** No proven advantage by the last tick of TRAINING. */
  | "no_benefit"
  /** The seed's gradient is NaN or infinite. */
  | "not_finite"
  /** α is 1 and the control loss is no worse. */
  | "blended"
  /** The control loss rose while α grew, or a guarded ramp waited too long. */
  | "regression"
  /** HOLDING ended without an action to fossilise. */
  | "holding_timeout"
  /** The seed's memory was returned. */
  | "released"
  /** The time of a resting stage is over. */
  | "elapsed";

/** Numbers and names that a decision rests on. */
export type Evidence = Readonly<Record<string, number | string | boolean | null>>;

/** One transition of one slot, as history keeps it. */
export interface Edge {
  /** When, in ticks. */
  readonly tick: number;
  /** When, in optimiser steps. */
  readonly step: number;
  /** Name of the slot's tap. */
  readonly slot: string;
  /** Unique within a run: `slot/generation`. */
  readonly seed: string;
  /** Of the seed; null where the slot is empty on both sides. */
  readonly blueprint: string | null;
  /** Stage before. */
  readonly from: Stage;
  /** Stage after. */
  readonly to: Stage;
  /** What led to it. */
  readonly reason: EdgeReason;
  /** What that rests on. */
  readonly evidence: Evidence;
}

/** What the training loop and the seed slots say to each other. */
import type { Action, Measurement, SlotObservation, Stage } from "./control.ts";
import type { HealthQuantity, SlotTimes, TimeQuantity } from "./health.ts";
import type { Edge, Veto } from "./lifecycle.ts";

/**
 * How a seed takes part in a trace:
 * - `blend`: y = h + α·γ⊙f(h), α read each step from the step input `alpha/<slot>`;
 * - `fossil`: α is 1 for good;
 * - `shadow`: α = 1 in a pass beside the host's, with ‖γ⊙f‖ scaled down where it exceeds `normCap`·‖h‖;
 * - `ste`: straight-through: y = h, while the seed learns as if y were h + γ⊙f(h), and the host as if it were absent.
 */
export type SeedMode = "blend" | "fossil" | "shadow" | "ste";

/** When something happens. */
export interface Clock {
  readonly tick: number;
  readonly step: number;
}

/** What the legality of an action depends on besides the slots. */
export interface ActionContext extends Clock {
  readonly ticksLeft: number;
  /** Why the governor refuses growth; null where it allows it. */
  readonly governor: string | null;
}

/** What was found out about one slot in the tick that ends. Null is "not measured". */
export interface SlotMeasurement {
  /** The running program and the optimiser hold the seed as its stage wants it. */
  readonly ready: boolean;
  /** No running program holds the seed any more, and its parameters are gone. */
  readonly released: boolean;
  /** Numbers of the seed that the optimiser holds, and updates that they have had. */
  readonly parameters: number | null;
  readonly updates: number | null;
  readonly health: Readonly<Record<HealthQuantity, number | null>>;
  readonly times: Readonly<Record<TimeQuantity, number | null>>;
  readonly advantage: Measurement | null;
  readonly removal: Measurement | null;
}

export interface TickMeasurements extends Clock {
  /** Over the control batches, at the present α. */
  readonly controlLoss: Measurement | null;
  /** By slot; of a slot that is absent nothing is known. */
  readonly slots: Readonly<Record<string, SlotMeasurement>>;
}

/** The rules that the slots of one network live by. Slots go by name. */
export interface Lifecycle {
  /** Null where the action is legal now. */
  check(action: Action, context: ActionContext): Veto | null;
  /**
   * Does what was asked; no edge where a seed with α > 0 is to be pruned, as that begins with a ramp.
   *
   * @throws {Error} if `check` refuses the action.
   */
  apply(action: Action, context: ActionContext): Edge[];
  /** Ends a tick: takes in what was measured, moves ramps, takes the edges that need no action. One edge a slot at most. */
  onTick(measurements: TickMeasurements): Edge[];
  /** The governor's prune, at once whatever α. A DORMANT slot is barred for the time of an embargo instead. */
  condemn(slot: string, clock: Clock, why: string): Edge[];
  /** α of a slot, `fraction` (0 to 1) into the tick that is running. */
  alphaAt(slot: string, fraction: number): number;
  stageOf(slot: string): Stage;
  /** `slot/generation`, unique within a run, of the seed in the slot; null in an empty one. */
  seedOf(slot: string): string | null;
  /** True while a seed is blended out: its weights must not move. */
  frozen(slot: string): boolean;
  observe(): SlotObservation[];
  /** What the clock on the wall told of a slot. No part of `observe`: no decision may rest on it. */
  timesOf(slot: string): SlotTimes;
}

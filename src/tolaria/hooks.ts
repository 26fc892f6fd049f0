import type { Edge } from "../contracts/lifecycle.ts";
import type { Alarm } from "./governor.ts";

/** What a program of the user's may follow or stop a run by. A hook is awaited; one that throws fails the run. */
export interface Hooks {
  /** After each optimiser step; `step` counts from 1. */
  onStep?(step: number): void | Promise<void>;
  /** After each tick; `tick` counts from 1. */
  onTick?(tick: number): void | Promise<void>;
  /** After the lifecycle took edges. */
  onMutation?(edges: readonly Edge[]): void | Promise<void>;
  /** After a rollback. */
  onRollback?(alarm: Alarm): void | Promise<void>;
  /** When training ends or is interrupted. */
  onStop?(outcome: "completed" | "interrupted"): void | Promise<void>;
}

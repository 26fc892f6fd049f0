/** What controllers see and say. Schemas in `contracts/control.ts` check the same. */
import type { SlotHealth } from "./health.ts";
import type { Candidates, ModelGraph } from "../model_graph.ts";

/** Stage of a slot's lifecycle. */
export type Stage =
  | "DORMANT"
  | "GERMINATED"
  | "TRAINING"
  | "BLENDING"
  | "HOLDING"
  | "FOSSILIZED"
  | "PRUNED"
  | "EMBARGOED"
  | "RESETTING";

/** What a controller may ask for, one a tick. Slots and blueprints go by name. */
export type Action =
  | { kind: "wait" }
  | { kind: "germinate"; slot: string; blueprint: string }
  | { kind: "advance"; slot: string }
  | { kind: "prune"; slot: string }
  | { kind: "fossilize"; slot: string };

/** An action with the evidence behind it, as the run's log keeps it. */
export interface Decision {
  /** One of the observation's `legal`. */
  action: Action;
  /** The evidence, in words. */
  why: string;
  /** What the person should hear about besides the action, such as a scheduled action that never became legal. */
  warnings: string[];
}

/** A mean over paired batches, in nats. */
export interface Measurement {
  /** In nats. */
  mean: number;
  /** Standard error of the mean, in nats. */
  se: number;
  /** Batches. */
  n: number;
}

/** What is known of one slot at a tick; null is "not measured", never a default. */
export interface SlotObservation {
  /** Name of its tap. */
  slot: string;
  /** Where it stands. */
  stage: Stage;
  /** Of the seed in it; null when empty. */
  blueprint: string | null;
  /** Share of the seed in the activation, 0 to 1. */
  alpha: number;
  /** Ticks since the last edge. */
  ticksInStage: number;
  /** Ticks since germination. */
  age: number;
  /** L2 norm of the seed's gradient. */
  gradNorm: number | null;
  /** L2 norm of the loss gradient at the slot, or of the nearest host layer's parameters. */
  hostGradNorm: number | null;
  /** Parameters of the nearest host layer. */
  hostParams: number;
  /** Control loss without the seed minus with it: positive is good. */
  advantage: Measurement | null;
  /** Control loss after switching a blended seed off minus before; `age` in ticks since it was measured. */
  removal: (Measurement & { age: number }) | null;
  /** Parameters of the seed in the slot; 0 when empty. */
  params: number;
  /** FLOPs of the seed in one example's forward pass; 0 when empty. */
  flops: number;
  /** Ticks until the slot may be sown again after a prune. */
  embargoTicks: number;
  /** How activations and gradients at the slot fare, and how they move. */
  health: SlotHealth;
}

/** What a controller sees at a tick: the training and control splits only, never validation or test. */
export interface Observation {
  /** Counted from 1. */
  tick: number;
  /** Optimiser steps taken. */
  step: number;
  /** Ticks until the budget is spent, at the present cost of a step. */
  ticksLeft: number;
  /** FLOPs spent over FLOPs budgeted, 0 to 1. */
  progress: number;
  /** Newest reading of the training loss, in nats. */
  trainLoss: number | null;
  /** Mean loss on the control batches of this tick, in nats. */
  controlLoss: number | null;
  /** Control losses of earlier ticks and this one, oldest first. */
  controlHistory: number[];
  /** Parameters and forward FLOPs per example of the host alone. */
  host: { params: number; flops: number };
  /** What the network with all its seeds may have of these. */
  budget: { params: number; flops: number };
  /** Every slot, in the order in which the network reaches them. */
  slots: SlotObservation[];
  /** The network with the seeds that it holds, whatever they add to it yet. */
  graph: ModelGraph;
  /** What could be sown where. */
  candidates: Candidates;
  /** Every action the lifecycle allows now; `wait` is always among them. */
  legal: Action[];
}

/** Decides once a tick. `decide` returns a member of `legal` and is a pure function of seed, state and observation. */
export interface Controller {
  /** Under which the configuration knows it; one of a program's own is `off`. */
  readonly kind: "off" | "fixed" | "random" | "heuristic" | "gnn";
  /** What to do at this tick, and why. An error that it throws fails the run. */
  decide(observation: Observation): Decision;
  /** The whole state as JSON; `restore` of it makes a controller that decides identically. */
  save(): unknown;
  /** Takes over what `save` gave, after a rollback or a resumption. */
  restore(state: unknown): void;
}

/** A controller that may take its time; training waits for it at the tick. */
export interface PatientController extends Omit<Controller, "decide"> {
  /** As `Controller` does, or a promise of it; one that rejects fails the run. */
  decide(observation: Observation): Decision | Promise<Decision>;
}

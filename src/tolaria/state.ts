import type { StoreLayout, StoreNumbers } from "../engine/optim/parameter_store.ts";
import type { GovernorState } from "./governor.ts";
import type { Topology } from "./growable.ts";
import type { Ledger } from "./ledger.ts";
import type { Unread } from "./metrics_reader.ts";

/** Loss and accuracy of the network on the validation split. */
export interface Score {
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** Where training stands, as plain data: with the numbers of the parameter store it is all there is. */
export interface Progress {
  /** Optimiser steps taken. */
  step: number;
  /** Ticks ended, and steps taken in the running one. */
  tick: number;
  stepInTick: number;
  /** Updates that each group has had. */
  updates: Record<string, number>;
  /** What the running programs hold. */
  running: Topology;
  /** Steps whose row of metrics was looked at. */
  seen: number;
  /** Losses of the running tick's steps, and the newest gradient norm of each group. */
  losses: number[];
  norms: Record<string, number>;
  controlHistory: number[];
  /** Rollbacks that had no seed to blame: each changes the order of the examples from there on. */
  detours: number;
  /** The host as it was when the first seed was sown. */
  before: Score | null;
}

/** Everything that is saved, at any step. */
export interface TrainerState {
  readonly progress: Progress;
  readonly unread: Unread;
  readonly ledger: ReturnType<Ledger["save"]>;
  readonly governor: GovernorState;
  readonly lifecycle: unknown;
  readonly controller: unknown;
}

/** A state with the parameters and moments that belong to it. */
export interface SavedState {
  readonly state: TrainerState;
  readonly layout: StoreLayout;
  readonly numbers: StoreNumbers;
}

/** The present, and the last state that the governor trusts. */
export interface Checkpoint {
  readonly present: SavedState;
  readonly blessed: SavedState;
}

export function freshProgress(): Progress {
  return {
    step: 0,
    tick: 0,
    stepInTick: 0,
    updates: {},
    running: {},
    seen: 0,
    losses: [],
    norms: {},
    controlHistory: [],
    detours: 0,
    before: null,
  };
}

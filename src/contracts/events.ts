import type { ProfileName } from "./config.ts";
import type { Action, Decision, SlotObservation } from "./control.ts";
import type { SlotTimes } from "./health.ts";
import type { Edge, Evidence } from "./lifecycle.ts";

/** What each topic carries. Times are counted in optimiser steps and in ticks. */
export interface Payloads {
  "run.started": {
    run: string;
    config: string;
    /** As every surface names it, a substitute included: "digits (CIFAR-10 unavailable)". */
    dataset: string;
    adapter: string;
    profile: ProfileName;
    /** Only one step is taken, and nothing is written. */
    dryRun: boolean;
    /** The run ends when it has spent this. */
    budgetFlops: number;
    /** The run ends at this step even if budget is left; null is no limit. */
    maxSteps: number | null;
    /** Step the run goes on from; 0 for a new one. */
    resumedAt: number;
  };
  "run.finished": {
    run: string;
    reason: "completed" | "interrupted" | "failed";
    step: number;
    loss: number | null;
    accuracy: number | null;
    /** SHA-256 of the weights that training ended with; null where it failed or nothing was written. */
    weights: string | null;
  };
  "step.metrics": {
    step: number;
    loss: number;
    accuracy: number;
    learningRate: number;
    imagesPerSecond: number;
    /** Spent since the start of the run, everything counted. */
    flops: number;
    /** Mixed precision only: the newest step's loss scale, and the updates skipped so far because a gradient overflowed. */
    lossScale?: number;
    skippedUpdates?: number;
  };
  "tick.report": {
    tick: number;
    step: number;
    progress: number;
    trainLoss: number | null;
    controlLoss: number | null;
    slots: (Pick<SlotObservation, "slot" | "stage" | "blueprint" | "alpha" | "advantage" | "health"> & {
      times: SlotTimes;
    })[];
    decision: Decision;
    /**
     * Only at ticks of `loop.validationTicks`: the network as it computed in this tick, on the whole validation split,
     * with the FLOPs spent so far and its parameters.
     */
    validation?: { loss: number; accuracy: number; flops: number; params: number };
  };
  /** A slot has changed its stage. */
  "seed.edge": Edge;
  "action.vetoed": { tick: number; step: number; action: Action; reason: string; evidence: Evidence };
  "governor.rollback": {
    tick: number;
    step: number;
    reason: string;
    /** Step whose state is back in force. */
    restoredStep: number;
    slots: string[];
    rollbacks: number;
  };
  "checkpoint.saved": {
    tick: number;
    step: number;
    name: string;
    /** SHA-256 of names, shapes and bits of all parameters. */
    weights: string;
    sizeBytes: number;
    elapsedMs: number;
  };
  "notice": { level: "info" | "warning" | "error"; text: string };
}

export type Topic = keyof Payloads;

/** A message as it travels. */
export interface Envelope<T extends Topic = Topic> {
  /** Unique within a bus and rising in the order of publication. */
  id: number;
  /** Milliseconds since 1970. */
  time: number;
  topic: T;
  payload: Payloads[T];
}

/** A message of any topic, told apart by `topic`. */
export type AnyEnvelope = { [T in Topic]: Envelope<T> }[Topic];

/**
 * How a topic behaves when a subscriber is slow: `telemetry` loses its oldest messages and counts them,
 * `control` makes the publisher wait.
 */
export const topics: Record<Topic, "telemetry" | "control"> = {
  "run.started": "control",
  "run.finished": "control",
  "step.metrics": "telemetry",
  "tick.report": "control",
  "seed.edge": "control",
  "action.vetoed": "control",
  "governor.rollback": "control",
  "checkpoint.saved": "control",
  "notice": "control",
};

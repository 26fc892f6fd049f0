/** What runs tell of themselves. Schemas in `contracts/events.ts` check the same. */
import type { Action, Decision, Measurement, Stage } from "./control.ts";
import type { SlotHealth, SlotTimes } from "./health.ts";
import type { Edge, Evidence } from "./lifecycle.ts";

/** When something happened, on the run's own clock. */
export interface Moment {
  /** Ticks, counted from 1; 0 is before the first. */
  tick: number;
  /** Optimiser steps taken. */
  step: number;
}

/** Loss and accuracy of a network on a split, and what it cost. */
export interface ValidationScore {
  /** Mean cross-entropy, in nats. */
  loss: number;
  /** Share of examples that it gets right, 0 to 1. */
  accuracy: number;
  /** FLOPs that the run had spent. */
  flops: number;
  /** Parameters of the network. */
  params: number;
}

/** A slot as a tick reports it. */
export interface SlotReport {
  /** Name of its tap. */
  slot: string;
  /** Where it stands. */
  stage: Stage;
  /** Of the seed in it; null when empty. */
  blueprint: string | null;
  /** Share of the seed in the activation, 0 to 1. */
  alpha: number;
  /** Control loss without the seed minus with it, in nats; null where not measured. */
  advantage: Measurement | null;
  /** How it fares. */
  health: SlotHealth;
  /** What it takes. */
  times: SlotTimes;
}

/** What each topic carries. */
export interface Payloads {
  /** Before the first step of a run, or of what is left of it. */
  "run.started": {
    run: string;
    config: string;
    /** As every surface names it, a substitute included: "digits (CIFAR-10 unavailable)". */
    dataset: string;
    adapter: string;
    profile: "full" | "small";
    /** Only one step is taken, and nothing is written. */
    dryRun: boolean;
    /** The run ends when it has spent this. */
    budgetFlops: number;
    /** The run ends at this step even if budget is left; null is no limit. */
    maxSteps: number | null;
    /** Step the run goes on from; 0 for a new one. */
    resumedAt: number;
  };
  /** After the last step, or the error that ended the run. */
  "run.finished": {
    run: string;
    reason: "completed" | "interrupted" | "failed";
    step: number;
    /** Last reading of the training loss, in nats. */
    loss: number | null;
    /** Last reading of the training accuracy, 0 to 1. */
    accuracy: number | null;
    /** SHA-256 of the weights that training ended with; null where it failed or nothing was written. */
    weights: string | null;
  };
  /** A reading of the training batches, every `loop.metricsSteps` steps. */
  "step.metrics": {
    step: number;
    /** Mean cross-entropy of the batch, in nats. */
    loss: number;
    /** Share of the batch that is right, 0 to 1. */
    accuracy: number;
    learningRate: number;
    imagesPerSecond: number;
    /** Spent since the start of the run, everything counted. */
    flops: number;
    /** Mixed precision only: the newest step's loss scale. */
    lossScale?: number | undefined;
    /** Mixed precision only: updates skipped so far because a gradient overflowed. */
    skippedUpdates?: number | undefined;
  };
  /** A tick: what was measured and what was decided. */
  "tick.report": Moment & {
    /** FLOPs spent over FLOPs budgeted, 0 to 1. */
    progress: number;
    /** In nats; null where not measured. */
    trainLoss: number | null;
    /** In nats; null where not measured. */
    controlLoss: number | null;
    slots: SlotReport[];
    decision: Decision;
    /**
     * Only at ticks of `loop.validationTicks`: the network as it computed in this tick, on the whole validation split,
     * with the FLOPs spent so far and its parameters.
     */
    validation?: ValidationScore | undefined;
  };
  /** A slot has changed its stage. */
  "seed.edge": Edge;
  /** An action was refused. */
  "action.vetoed": Moment & { action: Action; reason: string; evidence: Evidence };
  /** The governor has put an earlier state back. */
  "governor.rollback": Moment & {
    reason: string;
    /** Step whose state is back in force. */
    restoredStep: number;
    /** Slots whose seeds were pruned for it. */
    slots: string[];
    /** Rollbacks of this run so far. */
    rollbacks: number;
  };
  /** Someone who watches has stepped in: held the run, let it go on, asked for an action at a tick, or forbidden one. */
  "person.decided": Moment & {
    command: "pause" | "resume" | "step" | "force" | "veto" | "allow";
    /** What was forced, forbidden or allowed again. */
    action: Action | null;
  };
  /** A checkpoint is on disk. */
  "checkpoint.saved": Moment & {
    name: string;
    /** SHA-256 of names, shapes and bits of all parameters. */
    weights: string;
    sizeBytes: number;
    elapsedMs: number;
  };
  /** A line for whoever watches. */
  "notice": { level: "info" | "warning" | "error"; text: string };
}

/** Name of a kind of message. */
export type Topic = keyof Payloads;

/** A message as it travels. */
export interface Envelope<T extends Topic = Topic> {
  /** Unique within a bus and rising in the order of publication. */
  id: number;
  /** Milliseconds since 1970. */
  time: number;
  /** What kind of message it is. */
  topic: T;
  /** What it says. */
  payload: Payloads[T];
}

/** A message of any topic, told apart by `topic`. */
export type AnyEnvelope = { [T in Topic]: Envelope<T> }[Topic];

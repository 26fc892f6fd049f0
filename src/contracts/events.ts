/** What runs tell of themselves: what travels on the bus, and what stands in a run's logs, a line a message. */
import { z } from "zod";
import { PROFILES } from "./config.ts";
import { Action, Decision, Measurement, Stage } from "./control.ts";
import { SlotHealth, SlotTimes } from "./health.ts";
import { Edge, Evidence } from "./lifecycle.ts";
import { LoggedNumber } from "./logged_number.ts";
import type { Payloads, Topic } from "./types/events.ts";

export type { AnyEnvelope, Envelope, Payloads, Topic } from "./types/events.ts";

const whole = z.int().min(0);

/** What each topic carries. Times are counted in optimiser steps and in ticks. */
const payloads = {
  "run.started": z.strictObject({
    run: z.string(),
    config: z.string(),
    /** As every surface names it, a substitute included: "digits (CIFAR-10 unavailable)". */
    dataset: z.string(),
    adapter: z.string(),
    profile: z.enum(PROFILES),
    /** Only one step is taken, and nothing is written. */
    dryRun: z.boolean(),
    /** The run ends when it has spent this. */
    budgetFlops: z.number(),
    /** The run ends at this step even if budget is left; null is no limit. */
    maxSteps: whole.nullable(),
    /** Step the run goes on from; 0 for a new one. */
    resumedAt: whole,
  }),
  "run.finished": z.strictObject({
    run: z.string(),
    reason: z.enum(["completed", "interrupted", "failed"]),
    step: whole,
    loss: LoggedNumber.nullable(),
    accuracy: LoggedNumber.nullable(),
    /** SHA-256 of the weights that training ended with; null where it failed or nothing was written. */
    weights: z.string().nullable(),
  }),
  "step.metrics": z.strictObject({
    step: whole,
    loss: LoggedNumber,
    accuracy: LoggedNumber,
    learningRate: LoggedNumber,
    imagesPerSecond: LoggedNumber,
    /** Spent since the start of the run, everything counted. */
    flops: z.number(),
    /** Mixed precision only: the newest step's loss scale, and the updates skipped so far because a gradient overflowed. */
    lossScale: z.number().optional(),
    skippedUpdates: z.number().optional(),
  }),
  "tick.report": z.strictObject({
    tick: whole,
    step: whole,
    progress: z.number(),
    trainLoss: LoggedNumber.nullable(),
    controlLoss: LoggedNumber.nullable(),
    slots: z.array(z.strictObject({
      slot: z.string(),
      stage: Stage,
      blueprint: z.string().nullable(),
      alpha: z.number(),
      advantage: Measurement.nullable(),
      health: SlotHealth,
      times: SlotTimes,
    })),
    decision: Decision,
    /**
     * Only at ticks of `loop.validationTicks`: the network as it computed in this tick, on the whole validation split,
     * with the FLOPs spent so far and its parameters.
     */
    validation: z.strictObject({
      loss: LoggedNumber,
      accuracy: LoggedNumber,
      flops: z.number(),
      params: whole,
    }).optional(),
  }),
  /** A slot has changed its stage. */
  "seed.edge": Edge,
  "action.vetoed": z.strictObject({
    tick: whole,
    step: whole,
    action: Action,
    reason: z.string(),
    evidence: Evidence,
  }),
  "governor.rollback": z.strictObject({
    tick: whole,
    step: whole,
    reason: z.string(),
    /** Step whose state is back in force. */
    restoredStep: whole,
    slots: z.array(z.string()),
    rollbacks: whole,
  }),
  /** Someone who watches has stepped in: held the run, let it go on, asked for an action at a tick, or forbidden one. */
  "person.decided": z.strictObject({
    tick: whole,
    step: whole,
    command: z.enum(["pause", "resume", "step", "force", "veto", "allow"]),
    /** What was forced, forbidden or allowed again. */
    action: Action.nullable(),
  }),
  "checkpoint.saved": z.strictObject({
    tick: whole,
    step: whole,
    name: z.string(),
    /** SHA-256 of names, shapes and bits of all parameters. */
    weights: z.string(),
    sizeBytes: whole,
    elapsedMs: z.number(),
  }),
  "notice": z.strictObject({ level: z.enum(["info", "warning", "error"]), text: z.string() }),
} satisfies { [T in Topic]: z.ZodType<Payloads[T]> };

/** What is wrong with a payload of a topic, and where; null where nothing is. */
export function payloadFault(topic: Topic, payload: unknown): string | null {
  const parsed = payloads[topic].safeParse(payload);
  if (parsed.success) return null;
  const [{ path, message }] = parsed.error.issues;
  return `${path.join(".") || "payload"}: ${message}`;
}

/** A line of a run's log: a message without its number. */
export type LogLine = { [T in Topic]: { topic: T; time: number } & Payloads[T] }[Topic];
const lines = Object.entries(payloads).map(([topic, payload]) =>
  payload.extend({ topic: z.literal(topic), time: z.number() })
);
export const LogLine = z.discriminatedUnion(
  "topic",
  lines as [typeof lines[number], ...typeof lines],
) as unknown as z.ZodType<LogLine>;

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
  "person.decided": "control",
  "checkpoint.saved": "control",
  "notice": "control",
};

import { z } from "zod";
import { LoggedNumber } from "./logged_number.ts";
import type * as types from "./types/control.ts";

export type { Controller, Observation, PatientController, SlotObservation } from "./types/control.ts";

/** Stage of a slot's lifecycle. */
export const Stage = z.enum([
  "DORMANT",
  "GERMINATED",
  "TRAINING",
  "BLENDING",
  "HOLDING",
  "FOSSILIZED",
  "PRUNED",
  "EMBARGOED",
  "RESETTING",
]) satisfies z.ZodType<types.Stage>;
export type Stage = types.Stage;

/** What a controller may ask for, one a tick. Slots and blueprints go by name. */
export const Action = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("wait") }),
  z.strictObject({ kind: z.literal("germinate"), slot: z.string(), blueprint: z.string() }),
  z.strictObject({ kind: z.literal("advance"), slot: z.string() }),
  z.strictObject({ kind: z.literal("prune"), slot: z.string() }),
  z.strictObject({ kind: z.literal("fossilize"), slot: z.string() }),
]) satisfies z.ZodType<types.Action>;
export type Action = types.Action;

/** An action with the evidence behind it, as the run's log keeps it. */
export const Decision = z.strictObject({
  action: Action,
  why: z.string(),
  /** What the person should hear about besides the action, such as a scheduled action that never became legal. */
  warnings: z.array(z.string()),
}) satisfies z.ZodType<types.Decision>;
export type Decision = types.Decision;

/** A mean over paired batches, in nats; `se` is its standard error, `n` the number of batches. */
export const Measurement = z.strictObject({
  mean: LoggedNumber,
  se: LoggedNumber,
  n: LoggedNumber,
}) satisfies z.ZodType<
  types.Measurement
>;
export type Measurement = types.Measurement;

const tick = z.int().min(0).describe("tick at which it is tried, and at the next five while it is not legal");
const fraction = z.number().min(0).max(1);
const slotName = z.string().min(1).describe("tap of the host");

/** One line of a schedule: what to do to which slot, from which tick on. */
export const ScheduleEntry = z.discriminatedUnion("action", [
  z.strictObject({
    tick,
    action: z.literal("germinate").describe("sow a blueprint in an empty slot"),
    slot: slotName,
    blueprint: z.string().min(1).describe("blueprint to sow"),
  }),
  z.strictObject({
    tick,
    action: z.enum(["advance", "prune", "fossilize"]).describe("what to do with the seed"),
    slot: slotName,
  }),
]);
export type ScheduleEntry = z.infer<typeof ScheduleEntry>;

/** The content of a schedule file. */
export const Schedule = z.array(ScheduleEntry);
export type Schedule = z.infer<typeof Schedule>;

/** How the heuristic controller decides; fractions are of the FLOP budget, losses in nats. */
export const HeuristicConfig = z.strictObject({
  kind: z.literal("heuristic"),
  /** Germination window, as progress. */
  germinateFrom: fraction.default(0.1).describe("no germination before this share of the FLOP budget"),
  germinateUntil: fraction.default(0.6).describe("no germination after this share of the FLOP budget"),
  plateauTicks: z.int().min(1).default(3).describe("ticks over which the control loss must have stalled"),
  plateauImprovement: z.number().default(0.01).describe(
    "relative improvement below which the loss has stalled",
  ),
  everyTicks: z.int().min(1).default(8).describe("germinate after this many ticks even without a plateau"),
  largestGap: z.number().optional().describe(
    "no germination while control loss less training loss is above this share of the control loss: the network is not " +
      "too small then; absent: whatever the gap",
  ),
  keep: z.enum(["each", "best"]).optional().describe(
    "each: every seed that has proved itself stays; best: of all that live the best stays, once the last is measured, " +
      "and the others are pruned; absent: each",
  ),
  pruneAfter: z.int().min(1).default(8)
    .describe("ticks in a stage without a positive lower bound before a seed is pruned"),
  confidence: z.number().min(0).default(1.645).describe("standard errors below the mean for a lower bound"),
  order: z.array(z.string()).default([])
    .describe("blueprints, most promising first; unnamed ones follow in the order of growth.blueprints"),
  priorAdvantage: z.number().min(0).default(0.02)
    .describe("nats expected of the first blueprint in the order before any was tried"),
  exploration: z.number().min(0).default(0.02).describe("nats of bonus for a blueprint seldom tried"),
  rent: z.strictObject({
    params: z.number().min(0).default(0.05).describe("nats for as many parameters as the host has"),
    flops: z.number().min(0).default(0.1).describe("nats for as many FLOPs of a forward pass as the host's"),
  })
    .prefault({}).describe("nats charged for a seed as large as the host"),
});
export type HeuristicConfig = z.infer<typeof HeuristicConfig>;

/** The `controller` section of a run config. */
export const ControllerConfig = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("off") }),
  z.strictObject({
    kind: z.literal("fixed"),
    schedule: z.union([z.string().min(1), Schedule]).describe("a schedule file's path, or the list itself"),
  }),
  z.strictObject({
    kind: z.literal("random"),
    germinate: fraction.default(0.2).describe("chance of germinating at a tick where that is legal"),
  }),
  HeuristicConfig,
  z.strictObject({
    kind: z.literal("gnn"),
    policy: z.string().min(1).max(4096).optional()
      .describe("A policy file that train-policy wrote. Absent: the one that comes with Esper."),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, "want 64 hexadecimal digits").optional()
      .describe("SHA-256 that the file must have; a run writes it into its own configuration."),
    sample: z.boolean().default(false)
      .describe("Draw decisions, by the seed, with the policy's probabilities. Off: the likeliest is taken."),
  }),
]);
export type ControllerConfig = z.infer<typeof ControllerConfig>;

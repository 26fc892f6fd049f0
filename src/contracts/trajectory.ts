/** Whole episodes as they are kept. */
import { z } from "zod";
import { Action, type Observation, Stage } from "./control.ts";
import { SlotHealth } from "./health.ts";
import { OP_CLASSES } from "./model_graph.ts";

/** Version of the form of kept trajectories: others are refused. */
export const TRAJECTORY_VERSION = 1;

const count = z.int().min(0);

/** NaN and infinities are null in JSON, which is what they are to a policy: not known. */
const number = z.custom<number | null>((value) => value === null || typeof value === "number");
const name = z.string().min(1);

const Slot = z.strictObject({
  slot: name,
  stage: Stage,
  blueprint: name.nullable(),
  ...{ alpha: number, ticksInStage: number, age: number, gradNorm: number, hostGradNorm: number },
  hostParams: number,
  advantage: z.strictObject({ mean: number, se: number, n: number }).nullable(),
  removal: z.strictObject({ mean: number, se: number, n: number, age: number }).nullable(),
  ...{ params: number, flops: number, embargoTicks: number },
  health: SlotHealth,
});

const Graph = z.strictObject({
  nodes: z.array(z.strictObject({
    op: z.enum(OP_CLASSES),
    ...{ params: number, flops: number, channels: number, pixels: number, depth: number },
  })),
  edges: z.array(z.tuple([count, count])),
  slots: z.record(name, count),
}).refine(
  ({ nodes, edges, slots }) =>
    [...edges.flat(), ...Object.values(slots)].every((node) => node < nodes.length),
  "want edges and slots between nodes that there are",
);

const size = z.strictObject({ params: number, flops: number });
const Traits = z.strictObject({
  params: number,
  flops: number,
  ops: z.partialRecord(z.enum(OP_CLASSES), count),
});

const SeenForm = z.strictObject({
  tick: count,
  step: count,
  ...{ ticksLeft: number, progress: number, trainLoss: number, controlLoss: number },
  controlHistory: z.array(number),
  host: size,
  budget: size,
  slots: z.array(Slot),
  graph: Graph,
  candidates: z.record(name, z.record(name, Traits)),
  legal: z.array(Action).min(1),
  /** Which the lifecycle asked about the actions. */
  governor: z.string().nullable().optional(),
}).refine(({ slots, graph, legal }) => {
  const names = slots.map(({ slot }) => slot);
  return names.every((slot) => Object.hasOwn(graph.slots, slot)) &&
    legal.every((action) => action.kind === "wait" || names.includes(action.slot));
}, "want actions on slots, and slots in the graph");

/** What was seen at one tick. */
const Seen = z.custom<Observation>((value) => SeenForm.safeParse(value).success, "want an observation");

/** An episode that a policy played. */
export const KeptTrajectory = z.strictObject({
  version: z.literal(TRAJECTORY_VERSION),
  task: z.string().min(1),
  /** Of the task's configuration and data. */
  taskHash: z.string().regex(/^[0-9a-f]{64}$/, "want 64 hexadecimal digits"),
  seed: count,
  /** Iterations of learning that the policy had had. */
  policy: count,
  transitions: z.array(
    z.strictObject({
      /** With the graph, and the actions that were legal: the mask. */
      observation: Seen,
      /** Index of the legal action taken. */
      action: count,
      reward: z.number(),
      logProbability: z.number().max(0),
      value: z.number(),
    }).refine(({ observation, action }) => action < observation.legal.length, "want a legal action"),
  ).min(1),
  bootstrap: z.number(),
  return: z.number(),
});
export type KeptTrajectory = z.output<typeof KeptTrajectory>;

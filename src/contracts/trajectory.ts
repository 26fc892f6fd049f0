/** Whole episodes as they are kept. */
import { z } from "zod";
import type { Observation } from "./control.ts";

/** Version of the form of kept trajectories: others are refused. */
export const TRAJECTORY_VERSION = 1;

const count = z.int().min(0);

/** What was seen at one tick. Its numbers are checked where they are used: a policy takes what it does not know for unknown. */
const Seen = z.custom<Observation>((value) => {
  const parts = z.looseObject({
    tick: count,
    slots: z.array(z.looseObject({ slot: z.string() })),
    graph: z.looseObject({ nodes: z.array(z.unknown()), edges: z.array(z.unknown()) }),
    candidates: z.record(z.string(), z.unknown()),
    legal: z.array(z.looseObject({ kind: z.string() })).min(1),
  });
  return parts.safeParse(value).success;
}, "want an observation");

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

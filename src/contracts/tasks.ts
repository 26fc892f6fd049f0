import { z } from "zod";
import { PROFILES } from "./config.ts";

/** A run configuration that episodes are runs of, as a file names it. */
const TaskSpec = z.strictObject({
  name: z.string().max(100).regex(/^[\w.-]+$/, "want letters, digits, dot, dash or underscore")
    .describe("What logs and tables call it."),
  config: z.string().min(1).describe("Run configuration: a path or a name in configs/."),
  profile: z.enum(PROFILES).default("small").describe("Profile of that configuration."),
  set: z.array(z.string()).default([]).describe("KEY=VALUE laid over it, as with --set."),
});

/** Tasks of one kind with what they share. */
export const TaskList = z.strictObject({
  set: z.array(z.string()).default([]).describe("KEY=VALUE laid over every task before its own."),
  list: z.array(TaskSpec).default([]).describe("The tasks."),
}).prefault({}).describe("Real training runs to learn from.");
export type TaskList = z.output<typeof TaskList>;

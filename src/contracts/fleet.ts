/** What a fleet hands out, takes back, and knows of those who work in it. */
import { z } from "zod";

const hash = z.string().regex(/^[0-9a-f]{64}$/, "want 64 hexadecimal digits");

/** Kinds of jobs: a training run, a training of a policy, and a wait that measures the queue itself. */
const JOB_KINDS = ["run", "policy", "sleep"] as const;
export type JobKind = typeof JOB_KINDS[number];

/** Work that depends on nothing but what stands here, so that whoever does it comes to the same. */
export const FleetJob = z.strictObject({
  version: z.literal(1),
  kind: z.enum(JOB_KINDS),
  /** What people call it. */
  name: z.string().max(200),
  /** Configuration, seed and all; what it is follows from `kind`. */
  spec: z.record(z.string(), z.json()),
  hashes: z.strictObject({
    /** Of `spec`, of the program's source, of the examples (null where the job says nothing of them), of the adapter. */
    config: hash,
    code: hash,
    data: hash.nullable(),
    adapter: hash,
  }),
  /** Of kind, spec and hashes: equal for equal work. */
  key: hash,
});
export type FleetJob = z.output<typeof FleetJob>;

/** What a job came to. */
export const JobResult = z.strictObject({
  version: z.literal(1),
  key: hash,
  /** Of all that may not depend on who did it, or when: a blob of JSON. */
  evidence: hash,
  /** Of a blob of JSON with what the clock told, and of the files that the job left, by their paths. */
  account: hash,
  files: z.record(z.string(), hash),
  worker: z.string(),
});
export type JobResult = z.output<typeof JobResult>;

/** How a job that has not ended is getting on. */
export const JobProgress = z.strictObject({
  job: z.string(),
  step: z.number(),
  /** Mean training loss; null before the first. */
  loss: z.number().nullable(),
  /** Share of the budget that is spent, 0 to 1. */
  done: z.number(),
  /** Steps that this worker found done in a checkpoint. */
  resumedAt: z.number(),
});
export type JobProgress = z.output<typeof JobProgress>;

/** One worker, as it tells of itself. */
export const WorkerCard = z.strictObject({
  id: z.string(),
  host: z.string(),
  /** Jobs of other places it does not take: equal for workers with the same code on adapters of one type. */
  place: z.string(),
  code: hash,
  adapter: z.record(z.string(), z.json()),
  doing: z.array(JobProgress),
  /** Jobs done and failed since it began. */
  completed: z.number(),
  failed: z.number(),
  draining: z.boolean(),
});
export type WorkerCard = z.output<typeof WorkerCard>;

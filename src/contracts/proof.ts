/** What `prove` is told, fixes beforehand, finds in each arm, and says in the end. */
import { z } from "zod";
import { PROFILES } from "./config.ts";
import { STAGES } from "./lifecycle.ts";

/** Ways to train that are compared; `src/app/prove/arms.ts` says how each is derived. */
export const ARMS = [
  "host",
  "host-flops",
  "static-flops",
  "static-epochs",
  "widened",
  "random",
  "fixed",
  "heuristic",
  "learned",
  "off-switch",
  "incubating",
  "shadow",
  "no-incubation",
  "other-seed",
  "placebo",
] as const;
export type ArmName = typeof ARMS[number];
/** Arms of the headroom check, which have seeds of their own. */
const HEADROOM_ARMS = ["headroom-host", "headroom-static"] as const;
export type HeadroomArm = typeof HEADROOM_ARMS[number];
/** An arm that a proof describes itself: another arm with something laid over its configuration. */
export type VariantArm = `variant-${string}`;

const count = z.int().positive();
const Seed = z.int().min(0).max(0xffff_0000);
const hash = z.string().regex(/^[0-9a-f]{64}$/, "want 64 hexadecimal digits");
const Planted = z.array(z.strictObject({ slot: z.string(), blueprint: z.string() }));

/** A proof as a file describes it. */
export const ProofConfig = z.strictObject({
  name: z.string().max(100).regex(/^[\w.-]+$/, "want letters, digits, dot, dash or underscore").default(
    "proof",
  )
    .describe("Starts the name of the folder."),
  task: z.strictObject({
    config: z.string().min(1).describe("Run configuration: a path or a name in configs/."),
    profile: z.enum(PROFILES).default("small").describe("Profile of that configuration."),
    set: z.array(z.string()).default([]).describe("KEY=VALUE laid over it, as with --set."),
  }).describe("What every arm trains on; its train.budgetGflop is what arms of equal FLOPs spend."),
  seeds: z.strictObject({
    first: Seed.default(1).describe("First seed."),
    count: count.max(1000).default(10).describe("Number of seeds; every arm runs with each."),
  }).prefault({}).describe("Seeds that arms are paired by."),
  headroom: z.strictObject({
    first: Seed.default(1001).describe("First seed."),
    count: count.min(2).max(100).default(3).describe("Number of seeds."),
    planted: Planted.optional()
      .describe("Final topology to try. Absent: the first of growth.blueprints in every slot."),
  }).prefault({}).describe("The check that a larger network is worth its price here, on seeds of its own."),
  grown: z.enum(["heuristic", "learned"]).default("heuristic").describe(
    "The arm that claims about growth are about.",
  ),
  arms: z.array(z.enum(ARMS)).min(1).describe("What is run besides the arms that others are derived from."),
  set: z.partialRecord(z.enum(ARMS), z.array(z.string())).default({})
    .describe("KEY=VALUE laid over the configuration of one arm."),
  variants: z.record(
    z.string().max(60).regex(/^[\w.-]+$/, "want letters, digits, dot, dash or underscore"),
    z.strictObject({
      of: z.enum(ARMS).default("heuristic").describe("The arm that it is a variant of."),
      about: z.string().default("").describe("Why it may be better."),
      set: z.array(z.string()).default([]).describe("KEY=VALUE laid over that arm's configuration."),
    }),
  ).default({}).describe(
    "More arms, by name: ideas, compared with the grown arm and with the host on the validation split. No claim rests on them.",
  ),
  overhead: z.strictObject({
    pairs: count.min(2).max(1000).default(30).describe("Pairs of blocks of steps, with slots and without."),
    seconds: z.number().positive().default(0.15).describe("Length of a block."),
  }).prefault({}).describe("H1: how the cost of slots that nothing grows in is measured."),
  level: z.number().gt(0).lt(0.5).default(0.05).describe(
    "Chance of a false SUPPORTED, over all primary comparisons.",
  ),
  margin: z.number().min(0).default(0.01).describe("H3: nats by which growing may end behind having."),
  saving: z.number().gt(0).lt(1).default(0.15).describe(
    "H3: share of FLOPs that growing must save to the same loss.",
  ),
  window: z.number().gt(1).default(15).describe(
    "H3: the area is taken over the last this-fold of the FLOP budget.",
  ),
});
export type ProofConfig = z.output<typeof ProofConfig>;

/** Settled before the first arm runs. */
export const ProofManifest = z.strictObject({
  version: z.literal(1),
  proof: ProofConfig,
  /** The claims, word by word, with the rule that each is judged by. */
  claims: z.array(z.strictObject({ id: z.string(), claim: z.string(), rule: z.string() })),
  /** Of the task's run configuration, of the examples it trains on by seed, and of the program's source. */
  task: hash,
  data: z.record(z.string(), hash),
  dataset: z.string(),
  code: hash,
  adapter: z.record(z.string(), z.unknown()),
  /** Of all of the above. */
  sha256: hash,
});
export type ProofManifest = z.output<typeof ProofManifest>;

const Score = z.strictObject({ loss: z.number(), accuracy: z.number() });
const Size = z.strictObject({ params: z.number(), flops: z.number() });

const CurvePoint = z.strictObject({
  tick: z.number(),
  step: z.number(),
  flops: z.number(),
  params: z.number(),
  /** On the validation split. */
  loss: z.number(),
  accuracy: z.number(),
});
export type ArmPoint = z.output<typeof CurvePoint>;

const ArmEdge = z.strictObject({
  tick: z.number(),
  step: z.number(),
  slot: z.string(),
  blueprint: z.string().nullable(),
  from: z.enum(STAGES),
  to: z.enum(STAGES),
});
const ArmDecision = z.strictObject({
  tick: z.number(),
  action: z.enum(["germinate", "advance", "prune", "fossilize"]),
  slot: z.string(),
  blueprint: z.string().optional(),
});

/** What a run came to; all that is not here because it depends on the clock is in `times`. */
const Completed = z.strictObject({
  status: z.literal("completed"),
  steps: z.number(),
  flops: z.number(),
  weights: hash,
  host: Size,
  grown: Size,
  validation: Score,
  test: Score,
  curve: z.array(CurvePoint),
  /** Mean training loss and control loss of every tick, to the last bit. */
  trace: z.array(
    z.strictObject({ tick: z.number(), train: z.number().nullable(), control: z.number().nullable() }),
  ),
  edges: z.array(ArmEdge),
  decisions: z.array(ArmDecision),
});
/** A run that failed by itself. It is not run again: it counts, as the worst there is. */
const Crashed = z.strictObject({ status: z.literal("crashed"), error: z.string() });

export const ArmResult = z.strictObject({
  version: z.literal(1),
  arm: z.union([z.enum([...ARMS, ...HEADROOM_ARMS]), z.templateLiteral(["variant-", z.string()])]),
  seed: z.number(),
  /** Of the run's configuration, of its examples, of the manifest that it ran under. */
  config: hash,
  data: hash,
  manifest: hash,
  outcome: z.discriminatedUnion("status", [Completed, Crashed]),
});
export type ArmResult = z.output<typeof ArmResult>;
export type CompletedArm = z.output<typeof Completed>;

/** What the clock told of an arm: no part of a proof, as it is never twice the same. */
export const ArmTimes = z.strictObject({
  arm: z.string(),
  seed: z.number(),
  seconds: z.number(),
  /** Spent on trying the kernels of blueprints, beside the budget. */
  compilerFlops: z.number(),
  /** Seconds since the run began, at each point of the curve. */
  curve: z.array(z.number()),
  notices: z.array(z.string()),
});
export type ArmTimes = z.output<typeof ArmTimes>;

/** Time of a training step with dormant slots as a multiple of that without, by pairs of blocks of steps. */
export const Overhead = z.strictObject({
  slots: z.number(),
  pairs: z.number(),
  steps: z.number(),
  /** Median, and its 95 % bootstrap interval. */
  ratio: z.number(),
  low: z.number(),
  high: z.number(),
});
export type Overhead = z.output<typeof Overhead>;

export type VerdictWord = "SUPPORTED" | "NOT SUPPORTED" | "INCONCLUSIVE";

/** A comparison of two arms by the same seeds; positive speaks for the claim. */
export interface Comparison {
  readonly id: string;
  /** What was subtracted from what, with its unit. */
  readonly about: string;
  readonly differences: readonly number[];
  readonly mean: number;
  /** BCa bootstrap, 95 %. */
  readonly low: number;
  readonly high: number;
  /** Of the middle half of the differences. */
  readonly interquartile: number;
  /** Chance that a run of the one beats one of the other, whatever their seeds. */
  readonly improvement: number;
  /** What the mean must be above. */
  readonly margin: number;
  /** One-sided, of Student's paired test; adjusted by Holm over the primary comparisons. */
  readonly p: number;
  readonly adjusted: number | null;
  readonly verdict: VerdictWord;
}

export interface Verdict {
  readonly id: string;
  readonly claim: string;
  readonly rule: string;
  readonly verdict: VerdictWord;
  readonly why: string;
}

/** Means over seeds of one arm, as its row of the table. */
export interface ArmRow {
  readonly arm: string;
  readonly about: string;
  readonly seeds: number;
  readonly crashed: number;
  readonly loss: number;
  readonly accuracy: number;
  /** Interquartile means. */
  readonly iqmLoss: number;
  readonly iqmAccuracy: number;
  readonly area: number | null;
  readonly params: number;
  readonly gflop: number;
  readonly steps: number;
}

/**
 * `proof.json`: the same for the same manifest on the same device, whatever ran beside what, but for the overhead and the
 * verdict on H1, which rests on it.
 */
export interface Proof {
  readonly version: 1;
  readonly manifest: ProofManifest;
  /** The line that makes it again. */
  readonly command: string;
  /** Why nothing is believed; empty where all hashes are as they must be. */
  readonly faults: readonly string[];
  readonly headroom: Comparison;
  /** Null where it was not measured. */
  readonly overhead: Overhead | null;
  readonly verdicts: readonly Verdict[];
  readonly comparisons: readonly Comparison[];
  readonly table: readonly ArmRow[];
  readonly arms: readonly ArmResult[];
}

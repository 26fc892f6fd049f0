/** The configuration of `train-policy`. */
import { z } from "zod";
import { RewardConfig } from "./reward.ts";
import { TaskList } from "./tasks.ts";

const count = z.int().min(1);
const none = z.int().min(0);
const fraction = z.number().min(0).max(1);

const Collect = z.strictObject({
  simulated: none.max(10_000).default(64).describe("Episodes of the simulator in one iteration."),
  real: none.max(1000).default(0).describe("Training runs in one iteration, the tasks in turn."),
  lanes: count.max(64).default(4).describe("Training runs at one time, all on one device."),
  keep: count.max(100_000).default(256).describe("Training runs whose trajectories are kept, the newest."),
  reuse: z.boolean().default(false)
    .describe("Learn from the training runs of the iteration before, too, whose policy is one behind."),
  decisions: count.max(1000).optional().describe(
    "Decisions after which a training run is cut off. Absent: none.",
  ),
}).prefault({}).describe("What one iteration learns from.");

const Clone = z.strictObject({
  episodes: none.default(64).describe("Episodes that each teacher plays, in all; 0 leaves cloning out."),
  real: fraction.default(0).describe("Share of them that are training runs."),
  teachers: z.array(z.enum(["heuristic", "random"])).min(1).default(["heuristic", "random"])
    .describe("Controllers whose decisions are imitated."),
  epochs: count.default(8).describe("Passes over these episodes."),
  learningRate: z.number().positive().default(1e-3).describe("Learning rate."),
}).prefault({}).describe("Behaviour cloning, before anything is tried.");

const Ppo = z.strictObject({
  learningRate: z.number().positive().default(5e-4).describe(
    "Learning rate at first; it falls to 0, linearly.",
  ),
  epochs: count.default(4).describe("Passes over the decisions of an iteration."),
  batch: z.int().min(2).max(4096).default(256).describe("Decisions in an update."),
  gamma: fraction.default(1).describe(
    "Discount of a decision later; episodes are short, and paid in the end.",
  ),
  lambda: fraction.default(0.95).describe("Decay of the generalised advantage."),
  clip: z.number().positive().max(1).default(0.2).describe("How far a probability may move, as a ratio."),
  annealClip: z.boolean().default(false).describe("Whether that falls to 0, too, linearly."),
  floor: fraction.max(0.5).default(0.02).describe("Share of the probability spread over all legal actions."),
  value: z.number().min(0).default(0.5).describe("Weight of the value's loss."),
  valueClip: z.number().positive().nullable().default(null)
    .describe("How far a value may move in an iteration before its error counts no further; null: any way."),
  entropy: z.number().min(0).default(0).describe("Weight of the entropy bonus; the floor does without it."),
  gradientClip: z.number().positive().default(0.5).describe("Largest gradient norm of an update."),
  targetKl: z.number().positive().nullable().default(0.02)
    .describe("An iteration's updates end beyond 1.5 times this; null: never."),
  rewardScale: z.number().positive().default(20).describe("Values are in rewards times this."),
}).prefault({}).describe("Proximal policy optimisation.");

const Replay = z.strictObject({
  epochs: none.default(0).describe("Passes in each iteration; 0 leaves them be."),
  temperature: z.number().positive().nullable().default(1).describe(
    "Actions weigh exp(advantage / temperature), advantages in deviations, at most 20 (Peng et al. 2019); null: all the same.",
  ),
}).prefault({}).describe("Imitation of kept training runs that are too old for PPO.");

/** The configuration of a training of a policy. */
export const PolicyTraining = z.strictObject({
  name: z.string().max(100).regex(/^[\w.-]+$/, "want letters, digits, dot, dash or underscore").default(
    "policy",
  )
    .describe("Starts the name of the folder."),
  seed: z.int().min(0).max(0xffff_ffff).default(1).describe("Seed of everything random, 32 bits."),
  iterations: none.default(100).describe("Iterations of PPO: collect, then learn."),
  minutes: z.number().positive().optional()
    .describe("End after this time, a policy being written all the same. Absent: no limit."),
  from: z.string().min(1).optional().describe("Policy file to begin with. Absent: fresh weights."),
  collect: Collect,
  clone: Clone,
  ppo: Ppo,
  replay: Replay,
  reward: RewardConfig,
  tasks: TaskList,
  evaluate: z.strictObject({
    every: count.default(10).describe("Iterations between two evaluations and checkpoints."),
    tasks: none.max(1000).default(24).describe("Simulated tasks, of other hosts than those learned on."),
    episodes: count.max(1000).default(2).describe("Episodes of each."),
    keep: z.enum(["best", "newest"]).default("best").describe("Which of the evaluated policies is kept."),
  }).prefault({}).describe("What is measured of the policy now and then, and which is kept."),
});
export type PolicyTraining = z.output<typeof PolicyTraining>;

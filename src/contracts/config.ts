/** The run configuration: one schema, from which come types, defaults, checks, `--set` and the editor's JSON schema. */
import { z } from "zod";
import { ControllerConfig } from "./control.ts";

const count = z.int().positive();
/** Channels or units of a layer: far above any use, low enough to refuse a slip before it is built. */
const width = z.int().min(1).max(16_384);
const fraction = z.number().min(0).max(1);

const Split = z.strictObject({
  control: count.default(2000).describe("Images the controller's evidence is measured on; never trained on."),
  validation: count.default(2000).describe("Images for model selection; never trained on."),
  test: count.default(2000).describe("Images held out as test set where the data set has none of its own."),
}).prefault({}).describe("Number of images set aside, drawn by `seed`; the rest is trained on.");

const Augment = z.strictObject({
  crop: z.int().min(0).max(8).default(0).describe("Random shift in pixels each way; 0 is off."),
  fill: z.enum(["zeros", "reflect"]).optional().describe(
    "What comes in where an image is shifted: zeros, or the image mirrored at its edge. Absent: zeros.",
  ),
  flip: z.union([z.boolean(), z.literal("alternating")]).default(false).describe(
    "Mirror half of the images left to right (never digits), drawn each time; alternating mirrors each image in every " +
      "second epoch.",
  ),
}).prefault({}).describe("Random changes to training images, made on the device.");

const ImageData = z.strictObject({
  kind: z.enum(["cifar10", "fashion-mnist", "digits"]).describe("Data set."),
  dir: z.string().min(1).optional().describe("Folder with the data set's files; looked in first."),
  whenUnavailable: z.literal("digits").optional()
    .describe("What to train on when the data set can be had in no way. Absent: that is an error."),
  pixels: z.int().min(4).max(64).optional()
    .describe("Side to which images are average-pooled, a divisor of the real one. Absent: the real side."),
  trainLimit: count.optional().describe("Use at most this many training images. Absent: all."),
  split: Split,
  augment: Augment,
  testViews: z.union([z.literal(2), z.literal(6)]).optional().describe(
    "Score the test set a second time, each image seen so many ways: 2 mirrors it, 6 also moves it by a pixel. " +
      "Absent: no second score.",
  ),
});

const SpiralData = z.strictObject({
  kind: z.literal("spirals").describe("Data set: points on intertwined spirals, made by `seed`."),
  classes: z.int().min(2).max(16).default(3).describe("Number of arms."),
  count: z.int().min(1).max(1_000_000).default(6000).describe("Points in all, split included."),
  noise: z.number().min(0).default(0.08).describe(
    "Standard deviation around the arm, in units of the radius.",
  ),
  turns: z.number().positive().default(1.5).describe("Turns of an arm around the centre."),
  split: Split,
});

const CnnHost = z.strictObject({
  kind: z.literal("cnn").describe(
    "One block per entry of `channels`: 3x3 convolution, norm, ReLU, 2x2 max pooling.",
  ),
  channels: z.array(width).min(1).max(6).default([32, 64, 128]).describe("Output channels of each block."),
  norm: z.enum(["batch", "group"]).default("group").describe("Normalisation after each convolution."),
  groupSize: count.default(16).describe(
    "Least channels that share statistics in the group norm; fewer channels form one group.",
  ),
});

const ResnetHost = z.strictObject({
  kind: z.literal("resnet").describe(
    "Residual blocks of two 3x3 convolutions; the default is ResNet-18 for small images.",
  ),
  width: width.default(64).describe(
    "Channels of the first stage; each stage has twice those of the one before.",
  ),
  blocks: z.array(z.int().min(1).max(64)).min(1).max(5).default([2, 2, 2, 2]).describe(
    "Blocks of each stage; every stage but the first halves the sides.",
  ),
  norm: z.enum(["batch", "group"]).default("batch").describe("Normalisation after each convolution."),
  groupSize: count.default(16).describe(
    "Least channels that share statistics in the group norm; fewer channels form one group.",
  ),
});

const AirbenchHost = z.strictObject({
  kind: z.literal("airbench").describe(
    "The network of airbench94: whitening filters, blocks of two 3x3 convolutions around a 2x2 max pooling, GELU.",
  ),
  channels: z.array(width).min(1).max(4).default([64, 256, 256]).describe("Output channels of each block."),
  shiftRate: z.number().positive().default(64).describe(
    "Learning rate of the norms' shifts under SGD, as a multiple of the others'.",
  ),
});

const MlpHost = z.strictObject({
  kind: z.literal("mlp").describe("Dense layers with ReLU."),
  hidden: z.array(width).min(1).max(16).default([32, 32]).describe("Width of each hidden layer."),
});

const FileHost = z.strictObject({
  kind: z.literal("file").describe("A network that `main.ts export` wrote, its weights included."),
  path: z.string().min(1).max(4096).describe("The safetensors file."),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "want 64 hexadecimal digits").optional()
    .describe("SHA-256 that the file must have; a run writes it into its own configuration."),
});

/** A host that is built from its description alone. */
export const BuiltHost = z.discriminatedUnion("kind", [CnnHost, ResnetHost, AirbenchHost, MlpHost]);
export type BuiltHost = z.output<typeof BuiltHost>;

const weightDecay = z.number().min(0).default(5e-4).describe("Decay of weights per unit of learning rate.");
const clip = z.number().min(0).default(0).describe(
  "Largest gradient norm of the host, and of each seed; 0 is off.",
);

const Sgd = z.strictObject({
  kind: z.literal("sgd").describe("Stochastic gradient descent."),
  momentum: z.number().min(0).lt(1).default(0.9).describe("Share of the velocity that is kept each step."),
  nesterov: z.boolean().default(true).describe("Look ahead along the velocity."),
  weightDecay,
  clip,
  lookahead: z.strictObject({
    every: count.default(5).describe("Steps between two meetings of fast and slow weights."),
    keep: fraction.default(0.774).describe(
      "Share of the slow weights that stays at the end; before, less by the cube of the share of the budget spent.",
    ),
  }).optional().describe("Slow weights that take in the fast ones now and then. Absent: none."),
});

const AdamW = z.strictObject({
  kind: z.literal("adamw").describe("Adam with decoupled weight decay."),
  beta1: z.number().min(0).lt(1).default(0.9).describe("Decay of the first moment."),
  beta2: z.number().min(0).lt(1).default(0.999).describe("Decay of the second moment."),
  epsilon: z.number().positive().default(1e-8).describe("Added to the root of the second moment."),
  weightDecay,
  clip,
});

const LearningRate = z.strictObject({
  peak: z.number().positive().default(0.08).describe("Highest learning rate."),
  shape: z.enum(["cosine", "linear"]).optional().describe(
    "How it falls from the peak to its end. Absent: as a cosine.",
  ),
  initial: fraction.optional().describe(
    "Learning rate at the start of the warm-up, as a fraction of the peak.",
  ),
  warmup: fraction.default(0.02).describe("Linear warm-up, as a fraction of the FLOP budget."),
  final: fraction.default(0).describe("Learning rate at the end, as a fraction of the peak."),
}).prefault({}).describe("Rise to the peak and fall from it, over FLOPs spent.");

const Train = z.strictObject({
  batch: z.int().min(1).max(4096).default(64).describe("Images a step."),
  budgetGflop: z.number().positive().describe(
    "The run ends when it has spent this, in GFLOP, everything counted.",
  ),
  maxSteps: count.optional().describe("End after this many steps even if budget is left. Absent: no limit."),
  labelSmoothing: z.number().min(0).lt(1).default(0).describe("Share of the target spread over all classes."),
  optimizer: z.discriminatedUnion("kind", [Sgd, AdamW]).prefault({ kind: "sgd" }).describe("Optimiser."),
  learningRate: LearningRate,
  freeze: z.array(z.strictObject({
    part: z.string().min(1).describe(
      "Name that the parameters' names begin with, such as block1 or block1/conv.",
    ),
    epochs: z.number().min(0).describe("Passes over the training data after which they stay as they are."),
  })).max(8).optional().describe("Parts of the host that train for some epochs only. Absent: none."),
}).describe("Training of the weights.");

const Alpha = z.strictObject({
  schedule: z.enum(["linear", "cosine", "sigmoid", "guarded"]).default("linear").describe(
    "Shape of the ramp of alpha from 0 to 1; guarded waits while the control loss is above its start.",
  ),
  ticks: z.union([z.literal(2), z.literal(4), z.literal(8)]).default(4).describe(
    "Length of the ramp in ticks.",
  ),
}).prefault({}).describe("How a seed is blended in.");

/** Thresholds of the lifecycle's gates; ticks unless said otherwise. */
export const GatesConfig = z.strictObject({
  minTicksLeft: z.int().min(0).default(12).describe("G0: ticks of budget that must be left to germinate."),
  compileTicks: count.default(2).describe("G1: ticks a seed may wait for its kernels before it is pruned."),
  trainingTicks: count.default(3).describe("G2: least ticks in TRAINING."),
  trainingLimit: count.default(12).describe(
    "Ticks in TRAINING after which a seed without benefit is pruned.",
  ),
  gradientRatioMin: z.number().min(0).default(0.01).describe(
    "G2: least ratio of seed to host gradient norm.",
  ),
  gradientRatioMax: z.number().positive().default(100).describe(
    "G2: largest ratio of seed to host gradient norm.",
  ),
  advantageBatches: count.default(8).describe("G2: paired control batches the advantage must rest on."),
  confidence: z.number().min(0).default(1.645)
    .describe("Standard errors a mean must stand above 0 (1.645 is 95 %, one-sided)."),
  lossTolerance: z.number().min(0).default(0.02).describe("G3: rise of control loss allowed, as a fraction."),
  lossSigmas: z.number().min(0).default(2).describe(
    "G3: rise of control loss allowed on top, in standard errors.",
  ),
  freezeTicks: z.int().min(0).default(3).describe(
    "G3: ticks alpha is held before a harmful seed is blended out.",
  ),
  holdingTicks: count.default(3).describe("G4: least ticks in HOLDING."),
  holdingLimit: count.default(10).describe("Ticks in HOLDING after which a seed is blended out."),
  removalMeasurements: count.default(3).describe("G4: fresh measurements of the removal cost needed."),
  pruneAge: z.int().min(0).default(3).describe("Least age in ticks at which an action may prune a seed."),
  blendOutTicks: count.default(2).describe("Ramp of alpha back to 0, weights frozen."),
  embargoTicks: z.int().min(0).default(3).describe("Ticks a slot rests after a prune."),
  resettingTicks: z.int().min(0).default(1).describe("Ticks a slot takes to become DORMANT again."),
}).prefault({}).describe("Thresholds of the lifecycle's gates; ticks unless said otherwise.");
export type GatesConfig = z.output<typeof GatesConfig>;

const PlantedSeed = z.strictObject({
  slot: z.string().min(1).describe("Tap of the host."),
  blueprint: z.string().min(1).describe("What sits there from the first step on."),
});

const Growth = z.strictObject({
  planted: z.array(PlantedSeed).max(256).default([]).describe(
    "Seeds that are part of the host from the first step on: a grown network's shape, trained from scratch.",
  ),
  slots: z.array(z.string().min(1)).default(["*"]).describe(
    "Taps of the host that get a slot; `*` matches any text.",
  ),
  blueprints: z.array(z.string().min(1)).min(1).default(["conv3", "bottleneck", "se", "pointwise"])
    .describe("Blueprints that may be germinated, in order of preference."),
  incubation: z.enum(["shadow", "none", "ste"]).default("shadow")
    .describe("How a seed trains before it is blended in: beside the host, within it, or straight-through."),
  shadowEvery: count.default(2).describe("The shadow pass runs on one step in this many."),
  normCap: z.number().positive().default(1).describe("Largest ratio of seed output to host activation norm."),
  rateRatio: z.number().positive().default(1).describe(
    "Learning rate of seeds, as a multiple of the host's.",
  ),
  rateWarmup: count.optional().describe(
    "Updates of a newborn over which its learning rate rises from 0. Absent: none.",
  ),
  birthScale: z.number().positive().optional().describe(
    "Factor that a newborn's output begins with, where the output has about the activation's variance. Absent: 0, which " +
      "leaves the network's function as it is.",
  ),
  maxLive: count.default(2).describe("Seeds between GERMINATED and HOLDING at one time."),
  paramsBudget: z.number().min(1).default(1.5).describe("Parameters allowed, as a multiple of the host's."),
  flopsBudget: z.number().min(1).default(2).describe(
    "FLOPs of a forward pass allowed, as a multiple of the host's.",
  ),
  alpha: Alpha,
  gates: GatesConfig,
}).prefault({}).describe("Where and how the network may grow.");

const Loop = z.strictObject({
  tickSteps: count.default(100).describe("Steps between two decisions of the controller."),
  controlBatches: count.default(8).describe("Control batches evaluated at a tick."),
  metricsSteps: count.default(10).describe("Steps between two readings of loss and accuracy."),
  validationTicks: z.int().min(0).default(0).describe(
    "Ticks between two scorings of the validation split, at the run's own cost; 0 is never.",
  ),
  checkpointTicks: count.default(5).describe("Ticks between two checkpoints."),
  keepCheckpoints: count.default(3).describe("Newest checkpoints kept on disk, besides the best one."),
}).prefault({}).describe("The clock of the training loop.");

const Governor = z.strictObject({
  enabled: z.boolean().default(true).describe("Watch the run and roll back when it breaks."),
  window: z.int().min(2).default(20).describe("Readings of the loss that mean and deviation are taken over."),
  minReadings: z.int().min(1).default(10).describe("Readings needed before a spike is called one."),
  lossFloor: fraction.default(0.25)
    .describe("Loss below which nothing is a breakdown, as a fraction of that of a blind guess."),
  lossRatio: z.number().gt(1).default(3).describe("Spike: loss above this multiple of the mean ..."),
  lossDeviations: z.number().positive().default(6).describe("... and above the mean plus this many MADs."),
  spikes: count.default(2).describe("Spikes within the window that trigger a rollback."),
  gradientRatio: z.number().gt(1).default(20).describe(
    "Gradient norm over its median that triggers a rollback.",
  ),
  collapseMargin: fraction.default(0.05)
    .describe("Collapse: loss within this fraction of chance after it was below 0.6 of it."),
  watchTicks: z.int().min(0).default(5).describe(
    "Ticks after a change of the network during which it is to blame.",
  ),
  maxRollbacks: count.default(3).describe("Rollbacks after which the controller is turned off."),
}).prefault({}).describe("Rollback to the last good snapshot on NaN, explosion or collapse.");

const Engine = z.strictObject({
  precision: z.enum(["fp32", "mixed"]).default("fp32").describe(
    "How activations and their gradients are stored: fp32, or mixed for f16 (needs a GPU with shader-f16). " +
      "Arithmetic and weights are fp32 either way.",
  ),
  lossScale: z.strictObject({
    initial: z.number().min(1).max(2 ** 24).default(2 ** 16).describe("Scale of the first step."),
    growthSteps: count.default(2000).describe("Steps without an overflow after which the scale doubles."),
  }).prefault({}).describe(
    "Mixed precision: factor on the loss that keeps small gradients from vanishing. It halves, and the step is " +
      "skipped, where a gradient overflows.",
  ),
}).prefault({}).describe("How the device computes.");

const Oona = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("memory").describe("Within the process.") }),
  z.strictObject({
    kind: z.literal("redis").describe("Redis Streams, for those who watch from another process or machine."),
    url: z.string().max(2048)
      .regex(/^rediss?:\/\/[^\s/]+(\/\d{1,4})?$/, "want redis://host:6379, or rediss:// for TLS")
      .refine((url) => !/^\w+:\/\/[^@/]*:[^@/]*@/.test(url), "want no password in it; set REDIS_PASSWORD")
      .describe(
        "Server, such as redis://user@db:6379/0; rediss:// speaks TLS, with the authority of REDIS_CA. The password is " +
          "REDIS_PASSWORD's.",
      ),
  }),
]);
/** How messages travel. */
export type OonaConfig = z.output<typeof Oona>;

const Urza = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("file").describe("Files in the run's folder.") }),
  z.strictObject({
    kind: z.literal("postgres").describe("PostgreSQL for what names the blobs, and a place for the blobs."),
    url: z.string().max(2048)
      .regex(/^postgres(ql)?:\/\/[^\s/]+\/[^\s/?]+(\?\S*)?$/, "want postgres://user@host:5432/database")
      .refine((url) => !/^\w+:\/\/[^@/]*:[^@/]*@/.test(url), "want no password in it; set PGPASSWORD")
      .describe(
        "Server and database, such as postgres://esper@db:5432/esper; `?sslmode=verify-full` for TLS. The password is " +
          "PGPASSWORD's.",
      ),
    blobs: z.string().max(2048)
      .regex(
        /^(s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[\w.\/-]*)?|file:\S+)$/,
        "want s3://bucket/prefix or file:folder",
      )
      .describe(
        "Where the bytes are: s3://bucket/prefix, with AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY " +
          "from the environment, or file:folder that every machine sees.",
      ),
  }),
]);
/** Where checkpoints and records are kept. */
export type UrzaConfig = z.output<typeof Urza>;

/** A whole run, resolved: every default filled in, no profiles. This is what a run folder keeps. */
export const RunConfig = z.strictObject({
  name: z.string().max(100).regex(/^[\w.-]+$/, "want letters, digits, dot, dash or underscore").default("run")
    .describe("Starts the name of the run folder."),
  seed: z.int().min(0).max(0xffff_ffff).default(1).describe("Seed of everything random, 32 bits."),
  data: z.discriminatedUnion("kind", [ImageData, SpiralData]).describe("What is learned."),
  host: z.discriminatedUnion("kind", [CnnHost, ResnetHost, AirbenchHost, MlpHost, FileHost]).describe(
    "The network before it grows.",
  ),
  train: Train,
  growth: Growth,
  controller: ControllerConfig.prefault({ kind: "heuristic" }).describe("Who decides when to grow."),
  loop: Loop,
  governor: Governor,
  engine: Engine,
  oona: Oona.optional().describe("How messages travel. Absent: within the process."),
  urza: Urza.optional().describe("Where checkpoints and records are kept. Absent: in the run's folder."),
}).superRefine((config, context) => {
  const issue = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
  const { gates } = config.growth;
  if (gates.trainingLimit < gates.trainingTicks) {
    issue(["growth", "gates", "trainingLimit"], `want at least trainingTicks (${gates.trainingTicks})`);
  }
  if (gates.holdingLimit < gates.holdingTicks) {
    issue(["growth", "gates", "holdingLimit"], `want at least holdingTicks (${gates.holdingTicks})`);
  }
  if (config.host.kind === "file") return;
  if ((config.data.kind === "spirals") !== (config.host.kind === "mlp")) {
    issue(
      ["host", "kind"],
      `want ${
        config.data.kind === "spirals" ? "mlp" : "cnn, resnet or airbench"
      } for data ${config.data.kind}`,
    );
  }
});
export type RunConfig = z.output<typeof RunConfig>;
/** What may be written: keys with a default may be left out. */
export type RunConfigInput = z.input<typeof RunConfig>;

/** Names of the profiles: `full` for a GPU, `small` for a software adapter. */
export const PROFILES = ["full", "small"] as const satisfies readonly ProfileName[];
/** `full` is for a GPU, `small` for a software adapter. */
export type ProfileName = "full" | "small";

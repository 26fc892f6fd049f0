/** How to train and to grow, as a program says it. The schema in `contracts/config.ts` has the defaults and checks all of it. */

/** Stochastic gradient descent. */
export interface SgdSettings {
  /** Which optimiser. */
  kind: "sgd";
  /** Share of the velocity that is kept each step. Default 0.9. */
  momentum?: number;
  /** Look ahead along the velocity (Nesterov). Default true. */
  nesterov?: boolean;
  /** Decay of weights per unit of learning rate. Default 5e-4. */
  weightDecay?: number;
  /** Largest gradient norm of the host, and of each seed; 0, the default, is off. */
  clip?: number;
  /** Slow weights that take in the fast ones every so many steps (default 5), and keep that share at the end (0.774). */
  lookahead?: { every?: number; keep?: number };
}

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2). */
export interface AdamWSettings {
  /** Which optimiser. */
  kind: "adamw";
  /** Decay of the first moment. Default 0.9. */
  beta1?: number;
  /** Decay of the second moment. Default 0.999. */
  beta2?: number;
  /** Added to the root of the second moment. Default 1e-8. */
  epsilon?: number;
  /** Decay of weights per unit of learning rate. Default 5e-4. */
  weightDecay?: number;
  /** Largest gradient norm of the host, and of each seed; 0, the default, is off. */
  clip?: number;
}

/** Training of the weights. */
export interface TrainSettings {
  /** Examples a step. Default 64. */
  batch?: number;
  /** Training ends when it has spent this, in GFLOP, everything counted. */
  budgetGflop: number;
  /** It ends after this many steps even if budget is left. Default: no limit. */
  maxSteps?: number;
  /** Share of the target spread over all classes, below 1. Default 0. */
  labelSmoothing?: number;
  /** Default: SGD. */
  optimizer?: SgdSettings | AdamWSettings;
  /**
   * `peak` (default 0.08), the share of it at the start (`initial`) and at the end (`final`, default 0), the share of the
   * FLOP budget over which it rises (`warmup`, default 0.02), and how it falls (`shape`, default a cosine).
   */
  learningRate?: {
    peak?: number;
    shape?: "cosine" | "linear";
    initial?: number;
    warmup?: number;
    final?: number;
  };
  /** Parts of the host, by what their parameters' names begin with, that train for so many epochs only. */
  freeze?: { part: string; epochs: number }[];
}

/** Thresholds of the lifecycle's gates; ticks unless said otherwise. */
export interface GateSettings {
  /** G0: ticks of budget that must be left to germinate. Default 12. */
  minTicksLeft?: number;
  /** G1: ticks that a seed may wait for its kernels. Default 2. */
  compileTicks?: number;
  /** G2: least ticks in TRAINING. Default 3. */
  trainingTicks?: number;
  /** Ticks in TRAINING after which a seed without benefit is pruned. Default 12. */
  trainingLimit?: number;
  /** G2: least ratio of seed to host gradient norm. Default 0.01. */
  gradientRatioMin?: number;
  /** G2: largest ratio of seed to host gradient norm. Default 100. */
  gradientRatioMax?: number;
  /** G2: paired control batches that the advantage must rest on. Default 8. */
  advantageBatches?: number;
  /** Standard errors that a mean must stand above 0. Default 1.645: 95 %, one-sided. */
  confidence?: number;
  /** G3: rise of control loss allowed, as a fraction. Default 0.02. */
  lossTolerance?: number;
  /** G3: rise of control loss allowed on top, in standard errors. Default 2. */
  lossSigmas?: number;
  /** G3: ticks α is held before a harmful seed is blended out. Default 3. */
  freezeTicks?: number;
  /** G4: least ticks in HOLDING. Default 3. */
  holdingTicks?: number;
  /** Ticks in HOLDING after which a seed is blended out. Default 10. */
  holdingLimit?: number;
  /** G4: fresh measurements of the removal cost needed. Default 3. */
  removalMeasurements?: number;
  /** Least age at which an action may prune a seed. Default 3. */
  pruneAge?: number;
  /** Ramp of α back to 0, weights frozen. Default 2. */
  blendOutTicks?: number;
  /** Rest of a slot after a prune. Default 3. */
  embargoTicks?: number;
  /** What a slot then takes to become DORMANT. Default 1. */
  resettingTicks?: number;
}

/** Where and how the network may grow. */
export interface GrowthSettings {
  /** Seeds that are part of the host from the first step on. Default none. */
  planted?: { slot: string; blueprint: string }[];
  /** Taps that get a slot; `*` matches any text. Default all. */
  slots?: string[];
  /** Blueprints that may be germinated, in order of preference. Default conv3, bottleneck, se, pointwise. */
  blueprints?: string[];
  /** How a seed trains before it is blended in: beside the host (the default), within it, or straight-through. */
  incubation?: "shadow" | "none" | "ste";
  /** The shadow pass runs on one step in this many. Default 2. */
  shadowEvery?: number;
  /** Largest ratio of seed output to host activation norm in the shadow pass. Default 1. */
  normCap?: number;
  /** Learning rate of seeds, as a multiple of the host's. Default 1. */
  rateRatio?: number;
  /** Updates of a newborn over which its learning rate rises from 0. Default: none. */
  rateWarmup?: number;
  /**
   * Factor that a newborn's output begins with, where the output has about the activation's variance. Default: 0, which
   * leaves the network's function as it is.
   */
  birthScale?: number;
  /** Seeds between GERMINATED and HOLDING at one time. Default 2. */
  maxLive?: number;
  /** Parameters allowed, as a multiple of the host's. Default 1.5. */
  paramsBudget?: number;
  /** FLOPs of a forward pass allowed, as a multiple of the host's. Default 2. */
  flopsBudget?: number;
  /** Shape of the ramp of α from 0 to 1 (default linear; guarded waits while the control loss is up) and its length (4). */
  alpha?: { schedule?: "linear" | "cosine" | "sigmoid" | "guarded"; ticks?: 2 | 4 | 8 };
  /** When a seed may go on. */
  gates?: GateSettings;
}

/** Decides by measured gains, stalled losses and rent for size; losses are in nats, shares are of the FLOP budget. */
export interface HeuristicSettings {
  /** Which controller. */
  kind: "heuristic";
  /** No germination before this share. Default 0.1. */
  germinateFrom?: number;
  /** No germination after this share. Default 0.6. */
  germinateUntil?: number;
  /** Ticks over which the control loss must have stalled. Default 3. */
  plateauTicks?: number;
  /** Relative improvement below which it has. Default 0.01. */
  plateauImprovement?: number;
  /** Germinate after this many ticks even without a plateau. Default 8. */
  everyTicks?: number;
  /** No germination while control loss less training loss is above this share of the control loss. Default: none. */
  largestGap?: number;
  /** Whether each seed that has proved itself stays (the default), or the best of all that live. */
  keep?: "each" | "best";
  /** Ticks in a stage without a positive lower bound before a seed is pruned. Default 8. */
  pruneAfter?: number;
  /** Standard errors below the mean for a lower bound. Default 1.645. */
  confidence?: number;
  /** Blueprints, most promising first; others follow in the order of `growth.blueprints`. */
  order?: string[];
  /** Nats expected of the first blueprint before any was tried. Default 0.02. */
  priorAdvantage?: number;
  /** Nats of bonus for a blueprint seldom tried. Default 0.02. */
  exploration?: number;
  /** Nats charged for a seed as large as the host, by parameters (default 0.05) and by FLOPs (0.1). */
  rent?: { params?: number; flops?: number };
}

/** One line of a schedule: what to do to which slot, from which tick on. */
export type ScheduledAction =
  | { tick: number; action: "germinate"; slot: string; blueprint: string }
  | { tick: number; action: "advance" | "prune" | "fossilize"; slot: string };

/** Who decides when to grow. */
export type ControllerSettings =
  /** Nobody: the network does not grow. */
  | { kind: "off" }
  /** A list, or the path of a file with one. */
  | { kind: "fixed"; schedule: string | ScheduledAction[] }
  /** Chance: `germinate` (default 0.2) is that of sowing at a tick where that is legal. */
  | { kind: "random"; germinate?: number }
  | HeuristicSettings
  /** A trained policy: a file that `train-policy` wrote, or the one that comes with Esper; it may draw its decisions. */
  | { kind: "gnn"; policy?: string; sha256?: string; sample?: boolean };

/** The clock of the training loop. */
export interface LoopSettings {
  /** Steps between two decisions of the controller. Default 100. */
  tickSteps?: number;
  /** Control batches evaluated at a tick. Default 8. */
  controlBatches?: number;
  /** Steps between two readings of loss and accuracy. Default 10. */
  metricsSteps?: number;
  /** Ticks between two scorings of the validation split, at the run's own cost; 0, the default, is never. */
  validationTicks?: number;
}

/** Rollback to the last good state on NaN, explosion or collapse. */
export interface GovernorSettings {
  /** Default true. */
  enabled?: boolean;
  /** Readings of the loss that mean and deviation are taken over. Default 20. */
  window?: number;
  /** Readings needed before a spike is called one. Default 10. */
  minReadings?: number;
  /** Loss below which nothing is a breakdown, as a fraction of that of a blind guess. Default 0.25. */
  lossFloor?: number;
  /** Spike: loss above this multiple of the mean (default 3) ... */
  lossRatio?: number;
  /** ... and above the mean plus this many median absolute deviations. Default 6. */
  lossDeviations?: number;
  /** Spikes within the window that trigger a rollback. Default 2. */
  spikes?: number;
  /** Gradient norm over its median that triggers a rollback. Default 20. */
  gradientRatio?: number;
  /** Collapse: loss within this fraction of chance after it was below 0.6 of it. Default 0.05. */
  collapseMargin?: number;
  /** Ticks after a change of the network during which it is to blame. Default 5. */
  watchTicks?: number;
  /** Rollbacks after which the controller is turned off. Default 3. */
  maxRollbacks?: number;
}

/** How the device computes. */
export interface EngineSettings {
  /** How activations and their gradients are stored: fp32, the default, or mixed for f16, on a device that has it. */
  precision?: "fp32" | "mixed";
  /** Mixed precision: the loss scale of the first step (default 65536) and the good steps after which it doubles (2000). */
  lossScale?: { initial?: number; growthSteps?: number };
}

/** How to train and to grow: the keys of a configuration file, but for what a program brings itself. */
export interface GrowSettings {
  /** Of everything random, 32 bits. Default 1. */
  seed?: number;
  /** Training of the weights. */
  train: TrainSettings;
  /** Where and how the network may grow. */
  growth?: GrowthSettings;
  /** Who decides when to grow. Default: the heuristic. */
  controller?: ControllerSettings;
  /** The clock of the training loop. */
  loop?: LoopSettings;
  /** When to go back to a good state. */
  governor?: GovernorSettings;
  /** How the device computes. */
  engine?: EngineSettings;
  /** Training examples set aside: `control` for the controller's evidence, `validation` for the score. Default 1000 each. */
  split?: { readonly control?: number; readonly validation?: number };
}

/** What the command line and the browser hand to `runTraining`, and what they get back. */
import type { ProfileName } from "../contracts/config.ts";
import type { Stage } from "../contracts/control.ts";
import type { AnyEnvelope } from "../contracts/events.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import type { Hooks } from "../tolaria/mod.ts";
import type { ConfigSource } from "./config.ts";
import type { KernelReport } from "./kernel_profile.ts";
import type { Supervisor } from "./supervisor.ts";

/** Which WebGPU implementation to use; `auto` prefers hardware over software, then Dawn over native. */
export const BACKEND_CHOICES = ["auto", "native", "dawn"] as const;
export type BackendChoice = typeof BACKEND_CHOICES[number];

/** `auto` takes `small` on a software adapter and `full` on any other. */
export const PROFILE_CHOICES = ["auto", "full", "small"] as const;
export type ProfileChoice = "auto" | ProfileName;

/** How far a download is, in bytes; `total` is null where the server does not say. */
export interface DownloadProgress {
  address: string;
  done: number;
  total: number | null;
}

export interface RunOptions {
  /** For `resolveConfig`, once the adapter and with it the profile is known. On resume: the run's own configuration. */
  config: ConfigSource;
  profile: ProfileChoice;
  backend: BackendChoice;
  /** Opens the device, also another where one was lost. Default: as `backend` and `unsafeGpu` say. */
  openGpu?(): Promise<Gpu>;
  /** Folder in which the run folder is made. */
  out: string;
  /** Run folder to go on with; null starts a new run. */
  resume: string | null;
  /** Trace, compile and take one step; write nothing. */
  dryRun: boolean;
  /** Profile the training step kernel by kernel; not together with `dryRun`. */
  profileKernels?: boolean;
  /** File of kernel choices, which must be there; `none` for none. Default: that of the adapter, if there is one. */
  tuned?: string;
  /** Take the bounds checks out of kernels, where the implementation can. */
  unsafeGpu?: boolean;
  /** Aborted: finish the step, write a checkpoint, return with outcome `interrupted`. */
  signal: AbortSignal;
  /** Called at steps, ticks, epochs and what happens to the network; each is awaited, and may fail the run. */
  hooks?: readonly Hooks[];
  /** By which someone who watches steps in. */
  supervisor?: Supervisor;
  /** Called for every event of the run, in order. */
  onEvent(event: AnyEnvelope): void;
  /** Called with each piece of a data set that has to be downloaded. */
  onDownload?(progress: DownloadProgress): void;
}

/** Size of a network: parameters, and FLOPs of one example's forward pass. */
export interface NetworkSize {
  params: number;
  flops: number;
}

/** Mean loss in nats and accuracy (0 to 1) on the split that `split` names. */
export interface Measured {
  step: number;
  split: "control" | "validation" | "test";
  loss: number;
  accuracy: number;
}

/** What became of one seed. */
export interface SeedFate {
  /** `slot/generation`. */
  seed: string;
  slot: string;
  blueprint: string;
  /** Tick of its birth and of its last change of stage. */
  born: number;
  tick: number;
  stage: Stage;
  /** Reason of the last edge. */
  reason: string;
  params: number;
  /** Last measured advantage in nats: loss without minus loss with; null if never measured. */
  advantage: number | null;
}

/** One row of the parameter table. */
export interface LayerSummary {
  name: string;
  /** Of one example's output. */
  shape: readonly number[];
  params: number;
  /** Of one example's forward pass. */
  flops: number;
}

export interface DryRunReport {
  layers: readonly LayerSummary[];
  /** GPU memory that training holds, in bytes. */
  memoryBytes: number;
  /** Time of the one step taken, its read-back included. */
  stepMs: number;
  loss: number;
}

export interface RunResult {
  /** Name of the run. */
  run: string;
  /** The run folder; null after a dry run. */
  directory: string | null;
  outcome: "completed" | "interrupted";
  /** As every surface names it, a substitute included. */
  dataset: string;
  adapter: string;
  profile: ProfileName;
  steps: number;
  /** Spent in all, failed seeds, shadow passes, updates and evaluations included. */
  flops: number;
  /** Spent beside that on trying the kernels of blueprints. */
  compilerFlops: number;
  /** SHA-256 of the weights that training ended with, which `replay` must reproduce; null after a dry run. */
  weights: string | null;
  seconds: number;
  host: NetworkSize;
  grown: NetworkSize;
  /** Just before the first seed was germinated; null if none was. */
  before: Measured | null;
  after: Measured | null;
  /** On the test split, which is opened once, at the end of a completed run. */
  test: Measured | null;
  /** The same with several views of each image; null where none are asked for. */
  testViews: Measured & { readonly views: number } | null;
  /** Of steps and ticks alone, from the first to the last; of a run that was gone on with, since then. */
  trainSeconds: number;
  seeds: readonly SeedFate[];
  /** What every surface must repeat, such as a substituted data set. */
  notices: readonly string[];
  /** Only after a dry run. */
  dryRun: DryRunReport | null;
  /** Only where kernels were profiled. */
  kernels?: KernelReport;
}

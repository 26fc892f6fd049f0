/** What the command line and the browser hand to `runTraining`, and what they get back. */
import type { ProfileName } from "../contracts/config.ts";
import type { Stage } from "../contracts/types/control.ts";
import type { AnyEnvelope } from "../contracts/types/events.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import type { Hooks } from "../tolaria/mod.ts";
import type { ConfigSource } from "./config.ts";
import type { KernelReport } from "./kernel_profile.ts";
import type { Supervisor } from "./supervisor.ts";

/** Which WebGPU implementation to use; `auto` prefers hardware over software, then Dawn over native. */
export const BACKEND_CHOICES = ["auto", "native", "dawn"] as const satisfies readonly BackendChoice[];
/** Which WebGPU implementation to use; `auto` prefers hardware over software, then Dawn over native. */
export type BackendChoice = "auto" | "native" | "dawn";

/** `auto` takes `small` on a software adapter and `full` on any other. */
export const PROFILE_CHOICES = ["auto", "full", "small"] as const;
/** Which part of a configuration's `profiles` is laid over it; `auto` takes `small` on a software adapter. */
export type ProfileChoice = "auto" | ProfileName;

/** How far a download is, in bytes; `total` is null where the server does not say. */
export interface DownloadProgress {
  /** Where it comes from. */
  address: string;
  /** Bytes that have come. */
  done: number;
  /** Bytes in all. */
  total: number | null;
}

/** What `runTraining` is to do. */
export interface RunOptions {
  /** For `resolveConfig`, once the adapter and with it the profile is known. On resume: the run's own configuration. */
  config: ConfigSource;
  /** Profile of the configuration. */
  profile: ProfileChoice;
  /** Implementation of WebGPU. */
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
  /** Trainable numbers. */
  params: number;
  /** Of one example's forward pass; a multiplication and an addition are two. */
  flops: number;
}

/** Mean loss in nats and accuracy (0 to 1) on the split that `split` names. */
export interface Measured {
  /** Optimiser steps taken. */
  step: number;
  /** On which examples. */
  split: "control" | "validation" | "test";
  /** In nats. */
  loss: number;
  /** From 0 to 1. */
  accuracy: number;
}

/** What became of one seed. */
export interface SeedFate {
  /** `slot/generation`. */
  seed: string;
  /** Name of its tap. */
  slot: string;
  /** What it computes. */
  blueprint: string;
  /** Tick of its birth and of its last change of stage. */
  born: number;
  /** Tick of its last change of stage. */
  tick: number;
  /** Where it stands at the end. */
  stage: Stage;
  /** Reason of the last edge. */
  reason: string;
  /** Trainable numbers of it. */
  params: number;
  /** Last measured advantage in nats: loss without minus loss with; null if never measured. */
  advantage: number | null;
}

/** One row of the parameter table. */
export interface LayerSummary {
  /** Of the tap or the part of the network. */
  name: string;
  /** Of one example's output. */
  shape: readonly number[];
  /** Trainable numbers of it. */
  params: number;
  /** Of one example's forward pass. */
  flops: number;
}

/** What a dry run found. */
export interface DryRunReport {
  /** In order. */
  layers: readonly LayerSummary[];
  /** GPU memory that training holds, in bytes. */
  memoryBytes: number;
  /** Time of the one step taken, its read-back included. */
  stepMs: number;
  /** Of that step, in nats. */
  loss: number;
}

/** How a run ended, and what came of it. */
export interface RunResult {
  /** Name of the run. */
  run: string;
  /** The run folder; null after a dry run. */
  directory: string | null;
  /** `interrupted` where the signal was aborted. */
  outcome: "completed" | "interrupted";
  /** As every surface names it, a substitute included. */
  dataset: string;
  /** On which it trained, and by which implementation. */
  adapter: string;
  /** Which was laid over the configuration. */
  profile: ProfileName;
  /** Optimiser steps taken in all. */
  steps: number;
  /** Spent in all, failed seeds, shadow passes, updates and evaluations included. */
  flops: number;
  /** Spent beside that on trying the kernels of blueprints. */
  compilerFlops: number;
  /** SHA-256 of the weights that training ended with, which `replay` must reproduce; null after a dry run. */
  weights: string | null;
  /** Of all, start and end included. */
  seconds: number;
  /** Before it grew. */
  host: NetworkSize;
  /** With the seeds that stayed. */
  grown: NetworkSize;
  /** Just before the first seed was germinated; null if none was. */
  before: Measured | null;
  /** At the end; null after a dry run. */
  after: Measured | null;
  /** On the test split, which is opened once, at the end of a completed run. */
  test: Measured | null;
  /** The same with several views of each image; null where none are asked for. */
  testViews: Measured & { readonly views: number } | null;
  /** Of steps and ticks alone, from the first to the last; of a run that was gone on with, since then. */
  trainSeconds: number;
  /** In order of birth. */
  seeds: readonly SeedFate[];
  /** What every surface must repeat, such as a substituted data set. */
  notices: readonly string[];
  /** Only after a dry run. */
  dryRun: DryRunReport | null;
  /** Only where kernels were profiled. */
  kernels?: KernelReport;
}

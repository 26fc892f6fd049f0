/** What a training of a policy is asked for, and what all of its parts work with. */
import type { Observation } from "../contracts/control.ts";
import type { PolicyTraining } from "../contracts/policy_training.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import type { PolicyLearner } from "../tamiyo/rl/policy_learner.ts";
import type { PolicyFolder, PolicyLogLine } from "./adapters/policy_folder.ts";
import type { BackendChoice } from "./options.ts";
import type { PolicyCheckpoint } from "./policy_checkpoint.ts";
import type { EpisodeSource } from "./policy_episodes.ts";
import type { Task } from "./tasks.ts";

export interface PolicyTrainingOptions {
  readonly config: PolicyTraining;
  /** Those of the configuration, with their data. */
  readonly tasks: readonly Task[];
  readonly backend: BackendChoice;
  /** Folder in which the training's folder is made. */
  readonly out: string;
  /** Folder to go on with; null begins a new training. */
  readonly resume: string | null;
  /** Aborted: the unfinished iteration is dropped, a checkpoint is kept. */
  readonly signal: AbortSignal;
  onLine(line: PolicyLogLine): void;
}

/** Everything that one training works with. */
export interface Work {
  readonly options: PolicyTrainingOptions;
  readonly folder: PolicyFolder;
  readonly gpu: Gpu;
  readonly learner: PolicyLearner<Observation>;
  readonly source: EpisodeSource;
  readonly configHash: string;
  /** Of the tasks, by name. */
  readonly hashes: Readonly<Record<string, string>>;
  state: Omit<PolicyCheckpoint, "learner" | "normalisation" | "numbers">;
}

/** Keeps a line in the log, and passes it on. */
export function tell({ options, folder }: Work, line: PolicyLogLine): void {
  folder.log(line);
  options.onLine(line);
}

/**
 * Whole runs, as the command line makes them: a folder with the resolved configuration, checkpoints and logs, which can be
 * resumed, replayed and reported.
 *
 * @module
 */
export type { ConfigSource } from "./config.ts";
export type { KernelProfile, KernelReport, KernelRow } from "./kernel_profile.ts";
export type {
  DownloadProgress,
  DryRunReport,
  LayerSummary,
  Measured,
  ProfileChoice,
  RunOptions,
  RunResult,
} from "./options.ts";
export { runTraining } from "./run.ts";
export type { Supervisor, SupervisorCommand, SupervisorState, TellPerson } from "./supervisor.ts";
export type { ProfileName } from "../contracts/config.ts";
export type { DispatchTime, Profile, Span } from "../engine/gpu/profile.ts";
export type { Peak } from "../engine/tune/peak.ts";

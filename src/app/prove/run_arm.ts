import type { ProfileName, RunConfig } from "../../contracts/config.ts";
import type { AnyEnvelope } from "../../contracts/events.ts";
import type { Gpu } from "../../engine/gpu/device.ts";
import type { BackendChoice, RunResult } from "../options.ts";
import { runTraining } from "../run.ts";

/** All that a run of an arm depends on, as a message can carry it. */
export interface ArmRequest {
  readonly config: RunConfig;
  readonly profile: ProfileName;
  readonly backend: BackendChoice;
  /** Folder in which the run folder is made. */
  readonly out: string;
  /** Run folder to go on with. */
  readonly resume: string | null;
  /** Hash of the examples, where it is known beforehand. */
  readonly data?: string;
}

/** What a proof needs of a run; the rest is in the run's folder. */
export type ArmReply = Pick<
  RunResult,
  | "outcome"
  | "steps"
  | "flops"
  | "weights"
  | "host"
  | "grown"
  | "after"
  | "test"
  | "seconds"
  | "compilerFlops"
  | "notices"
>;

/** Runs arms one after the other on one device, which is opened with the first. */
export interface ArmRunner {
  run(request: ArmRequest, signal: AbortSignal, onEvent?: (event: AnyEnvelope) => void): Promise<ArmReply>;
  close(): void;
}

/** A runner on this thread. */
export function createRunner(): ArmRunner {
  let shared: Promise<Gpu> | null = null;

  /** The device that all runs of this thread share: what they compile is compiled once. */
  async function open(backend: BackendChoice): Promise<Gpu> {
    const { openGpu } = await import("../adapters/open_gpu.ts");
    if (!shared) {
      const opening = shared = openGpu(backend);
      // The run that lost it asks for another.
      (await opening).device.lost.then(() => shared === opening && (shared = null));
    }
    const gpu = await shared;
    return Object.create(gpu, { destroy: { value() {} } });
  }

  return {
    async run({ config, data: _, ...request }, signal, onEvent = () => {}) {
      const { outcome, steps, flops, weights, host, grown, after, test, ...clock } = await runTraining({
        ...request,
        config: { file: config, sets: [], flags: {} },
        openGpu: () => open(request.backend),
        dryRun: false,
        signal,
        onEvent,
      });
      const { seconds, compilerFlops, notices } = clock;
      return { outcome, steps, flops, weights, host, grown, after, test, seconds, compilerFlops, notices };
    },
    close() {
      shared?.then((gpu) => gpu.destroy(), () => {});
    },
  };
}

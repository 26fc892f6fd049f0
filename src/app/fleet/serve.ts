/** A worker of a fleet: takes jobs for the adapter that it has, and does them. */
import type { FleetJob, JobProgress } from "../../contracts/fleet.ts";
import { type Conditions, hashOf, type Outcome, placeOf, work, type WorkerEvent } from "../../fleet/mod.ts";
import { wait } from "../../util/wait.ts";
import type { BackendChoice } from "../options.ts";
import { createRunner } from "../prove/run_arm.ts";
import { openFleetEnds } from "./fleet.ts";
import { performRun } from "./run_job.ts";

export interface ServeOptions {
  readonly url: string;
  readonly blobs: string | null;
  readonly backend: BackendChoice;
  /** Names this worker and no other. */
  readonly id: string;
  readonly host: string;
  /** Folder for runs in work. */
  readonly scratch: string;
  readonly untilEmpty: boolean;
  /** Aborted: write a checkpoint, give the job back, and leave. */
  readonly signal: AbortSignal;
  /** Told once it has joined, with the place of results. */
  onJoined?(blobs: string): void;
  onEvent(event: WorkerEvent): void;
  onProgress?(progress: JobProgress): void;
}

/** Works until the signal ends it, or nothing is left where `untilEmpty`; returns how many jobs it did. */
export async function serveFleet(options: ServeOptions): Promise<{ completed: number; failed: number }> {
  const { codeHash } = await import("../adapters/code_hash.ts");
  const { openGpu } = await import("../adapters/open_gpu.ts");
  const { url, blobs, backend, id, host, scratch, signal, untilEmpty, onEvent, onProgress } = options;
  const gpu = await openGpu(backend), { adapter } = gpu;
  gpu.destroy();
  const code = await codeHash(), place = await placeOf({ code, adapter: await hashOf(adapter) });
  const { queue, store, blobs: agreed, close } = await openFleetEnds(url, blobs);
  options.onJoined?.(agreed);
  const runner = createRunner();
  const parts = { runner, store, backend, scratch };
  const perform = (job: FleetJob, conditions: Conditions): Promise<Outcome | null> =>
    PERFORM[job.kind](job, conditions);
  const PERFORM: Record<FleetJob["kind"], typeof perform> = {
    run: (job, conditions) => performRun(parts, job, conditions),
    policy: async (job, conditions) =>
      (await import("./policy_job.ts")).performPolicy(parts, job, conditions),
    sleep,
  };
  try {
    const description = JSON.parse(JSON.stringify(adapter));
    return await work({
      ...{ queue, perform, signal, untilEmpty, onEvent },
      card: { id, host, place, code, adapter: description },
      ...onProgress && { onProgress },
    });
  } finally {
    runner.close();
    await close();
  }
}

/** Waits as long as the job says, in milliseconds: what is left of the time is the queue's. */
async function sleep({ spec, key }: FleetJob, { signal }: Conditions): Promise<Outcome | null> {
  await wait(Number(spec.ms), signal);
  return signal.aborted ? null : { evidence: await hashOf({ slept: spec.ms }), account: key, files: {} };
}

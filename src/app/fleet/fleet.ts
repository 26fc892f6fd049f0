/** A fleet as those see it who have work: runs go to whoever works, and come back as if they had run here. */
import { z } from "zod";
import type { WorkerCard } from "../../contracts/fleet.ts";
import type { PolicyTraining } from "../../contracts/policy_training.ts";
import type { AdapterDescription } from "../../engine/gpu/device.ts";
import { createDispatcher, createJob, hashOf, placeOf, type Queue } from "../../fleet/mod.ts";
import type { Hash, Store } from "../../urza/mod.ts";
import { usageError, UserError } from "../../util/errors.ts";
import { parseJson } from "../../util/json.ts";
import type { BackendChoice } from "../options.ts";
import type { ArmReply, ArmRunner } from "../prove/run_arm.ts";
import type { Task } from "../tasks.ts";
import type { PolicyTrainingResult } from "../train_policy.ts";

export interface FleetOptions {
  /** `postgres://user@host/database`, without a password. */
  readonly url: string;
  /** Where results are: `file:folder` or `s3://bucket/prefix`; null for what the fleet has agreed on. */
  readonly blobs: string | null;
  readonly backend: BackendChoice;
  /** Share of the jobs that two workers do, whose results must agree. */
  readonly verify: number;
  readonly priority: number;
  onWorkers?(workers: readonly WorkerCard[]): void;
  onLine(line: string): void;
}

/** The two ends that all in a fleet share. */
export interface FleetEnds {
  readonly queue: Queue;
  readonly store: Store;
  /** Where the bytes of results are. */
  readonly blobs: string;
  close(): Promise<void>;
}

export interface Fleet {
  /** What all its jobs run on. */
  readonly adapter: AdapterDescription;
  /** Runs on whoever is free; any number of these at a time. */
  createRunner(): ArmRunner;
  /** A training of a policy, by whoever is free; its folder comes into `out`. Null where the signal ended it. */
  trainPolicy(
    config: PolicyTraining,
    tasks: readonly Task[],
    out: string,
    signal: AbortSignal,
  ): Promise<PolicyTrainingResult | null>;
  /** Ends the comparisons: what differs between two who did the same, a line each. */
  settle(signal: AbortSignal): Promise<string[]>;
  close(): Promise<void>;
}

/**
 * Opens queue and store of a fleet.
 *
 * @throws {UserError} where one of them does not answer, or the place of blobs is unknown or another than agreed.
 */
export async function openFleetEnds(url: string, blobs: string | null): Promise<FleetEnds> {
  const { openPgBossQueue } = await import("../../fleet/adapters/pg_boss_queue.ts");
  const { openFleetStore } = await import("../adapters/fleet_store.ts");
  const queue = await openPgBossQueue(url);
  try {
    const agreed = await queue.agree("blobs", blobs);
    if (agreed === null) {
      throw usageError(
        "--blobs: want where results are kept, s3://bucket/prefix or file:folder, got none yet",
      );
    }
    if (blobs !== null && agreed !== blobs) {
      throw usageError(`--blobs: want ${agreed}, which this fleet has agreed on, got ${blobs}; leave it out`);
    }
    const { store, close } = await openFleetStore(url, agreed);
    return {
      queue,
      store,
      blobs: agreed,
      async close() {
        await queue.close();
        await close();
      },
    };
  } catch (error) {
    await queue.close();
    throw error;
  }
}

const Reply = z.looseObject({ outcome: z.literal("completed") });
const PolicyReply = z.strictObject({
  iterations: z.number(),
  episodes: z.record(z.string(), z.number()),
  policy: z.strictObject({ sha256: z.string(), score: z.number().nullable(), iteration: z.number() }),
});

/** Joins a fleet as one who has work. @throws {UserError} as `openFleetEnds`, or where its workers are too different. */
export async function joinFleet(options: FleetOptions): Promise<Fleet> {
  const { codeHash } = await import("../adapters/code_hash.ts");
  const { restoreFolder } = await import("../adapters/snapshot.ts");
  const { url, blobs, verify, priority, onWorkers, onLine } = options;
  const ends = await openFleetEnds(url, blobs), { queue, store } = ends;
  try {
    const code = await codeHash();
    const adapter = await adapterOf(await queue.workers(), code, options);
    const ground = { code, adapter: await hashOf(adapter) }, place = await placeOf(ground);
    const readJson = async (hash: Hash) => parseJson(new TextDecoder().decode(await store.get(hash)));
    const dispatcher = createDispatcher({
      ...{ queue, place, verify, priority },
      ...onWorkers && { onWorkers },
      onTrouble: (error) => onLine(`fleet: the queue does not answer (${error}); asking on`),
    });

    return {
      adapter,
      createRunner: () => ({
        async run({ config, profile, data = null, out }, signal) {
          const job = await createJob("run", config.name, { config, profile }, { ...ground, data });
          const result = await dispatcher.done(job, signal);
          if (result === null) return { outcome: "interrupted" } as ArmReply;
          await restoreFolder(result.files, store, `${out}/${config.name}-1`);
          return Reply.parse(await readJson(result.account)) as unknown as ArmReply;
        },
        close() {},
      }),
      async trainPolicy(config, tasks, out, signal) {
        if (config.minutes !== undefined) {
          throw usageError(
            "--minutes: not together with --fleet, as what comes out would depend on who did it",
          );
        }
        const spec = { config, tasks: tasks.map(({ name, config }) => ({ name, config })) };
        const name = `${config.name}-s${config.seed}`;
        const job = await createJob("policy", name, spec, { ...ground, data: null });
        const result = await dispatcher.done(job, signal);
        if (result === null) return null;
        const { policy, ...rest } = PolicyReply.parse(await readJson(result.account));
        const directory = `${out}/${name}`;
        await restoreFolder(result.files, store, directory);
        return {
          ...{ ...rest, directory, outcome: "completed" },
          policy: { ...policy, path: `${directory}/policy.safetensors` },
        };
      },
      async settle(signal) {
        const { agreed, mismatches, unchecked } = await dispatcher.settle(signal);
        if (agreed > 0) onLine(`fleet: ${agreed} jobs done twice came to the same`);
        if (unchecked > 0) onLine(`fleet: ${unchecked} jobs were not done twice: no second worker was there`);
        return mismatches.map((line) => `two workers differ: ${line}`);
      },
      async close() {
        await dispatcher.close();
        await ends.close();
      },
    };
  } catch (error) {
    await ends.close();
    throw error;
  }
}

/** The adapter that jobs are for: that of all workers with this code, or this machine's own. */
async function adapterOf(
  workers: readonly WorkerCard[],
  code: string,
  { backend, onLine }: FleetOptions,
): Promise<AdapterDescription> {
  const able = workers.filter((worker) => worker.code === code);
  const adapters = new Map<string, AdapterDescription>();
  for (const { adapter } of able) {
    adapters.set(await hashOf(adapter), adapter as unknown as AdapterDescription);
  }
  if (adapters.size === 1) return [...adapters.values()][0];
  const { openGpu } = await import("../adapters/open_gpu.ts");
  const gpu = await openGpu(backend), own = gpu.adapter;
  gpu.destroy();
  if (adapters.size === 0) {
    onLine(
      `fleet: no worker with this program is there yet; jobs wait for one on ${own.description} (${own.backend})`,
    );
    return own;
  }
  const same = adapters.get(await hashOf(own));
  if (same) return same;
  const names = [...adapters.values()].map(({ description, backend }) => `${description} (${backend})`);
  throw new UserError(
    `fleet: want workers on adapters of one type, as others give other last bits, got ${
      names.join(" and ")
    }; ` +
      "stop some",
  );
}

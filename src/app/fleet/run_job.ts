/** A training run as a job of the fleet: taken up where another left it, and left so that another can go on. */
import { z } from "zod";
import { type ProfileName, PROFILES } from "../../contracts/config.ts";
import type { AnyEnvelope } from "../../contracts/events.ts";
import type { FleetJob } from "../../contracts/fleet.ts";
import type { Conditions, Outcome } from "../../fleet/mod.ts";
import type { Hash, Store } from "../../urza/mod.ts";
import { UserError } from "../../util/errors.ts";
import { canonicalJson, type Json } from "../../util/json.ts";
import { resolveConfig } from "../config.ts";
import type { BackendChoice } from "../options.ts";
import { outcomeOf } from "../prove/collect.ts";
import type { ArmReply, ArmRunner } from "../prove/run_arm.ts";
import { USED_FILE } from "../tuned_kernels.ts";

/** Kind of manifests that say where an unfinished job stands, by the id it was submitted under, and of those of results. */
const PROGRESS = "fleet-progress", RESULT = "fleet-result";

const Snapshot = z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/));
const RunSpec = z.strictObject({ config: z.json(), profile: z.enum(PROFILES) });

/** What a job of kind `run` is made of. */
export interface RunSpec {
  readonly config: unknown;
  readonly profile: ProfileName;
}

export interface RunJobParts {
  readonly runner: ArmRunner;
  readonly store: Store;
  readonly backend: BackendChoice;
  /** Folder of this worker, for runs in work. */
  readonly scratch: string;
  /** Called for every event of a run. */
  onEvent?(event: AnyEnvelope): void;
}

/**
 * Trains. At each checkpoint the run's folder goes to the store; a job that has been begun goes on from there.
 *
 * @returns null where the signal ended it, with a checkpoint in the store.
 */
export async function performRun(
  parts: RunJobParts,
  job: FleetJob,
  { id, signal, progress }: Conditions,
): Promise<Outcome | null> {
  const { readFolder, removeFolder, restoreFolder, storeFolder } = await import("../adapters/snapshot.ts");
  const { readRunRecord } = await import("../adapters/run_record.ts");
  const { store, runner, scratch } = parts;
  const { config: file, profile } = RunSpec.parse(job.spec);
  const config = resolveConfig({ file, sets: [], flags: {} }, profile);
  const out = `${scratch}/${id}`, folder = `${out}/${config.name}-1`, known = new Set<Hash>();
  const begun = (await store.listManifests(PROGRESS)).includes(id);
  if (begun) {
    const snapshot = Snapshot.parse(await store.readManifest(PROGRESS, id));
    Object.values(snapshot).forEach((hash) => known.add(hash));
    await restoreFolder(snapshot, store, folder);
  } else removeFolder(out);

  // One after the other, and of those that wait the newest.
  let saving: Promise<void> = Promise.resolve(), pending: ReturnType<typeof readFolder> | null = null;
  const failed = new AbortController();
  function keep(): void {
    const waits = pending !== null;
    pending = readFolder(folder, known);
    if (waits) return;
    saving = saving.then(async () => {
      const files = pending!;
      pending = null;
      await store.writeManifest(PROGRESS, id, await storeFolder(files, store, known) as Json);
    }).catch((error) => failed.abort(error));
  }

  let resumedAt = 0, budget = Infinity;
  function onEvent(event: AnyEnvelope): void {
    if (event.topic === "run.started") {
      resumedAt = event.payload.resumedAt;
      budget = event.payload.budgetFlops;
    } else if (event.topic === "step.metrics") {
      const { step, flops, loss } = event.payload;
      const told = Number.isFinite(loss) ? Number(loss) : null;
      progress({ job: job.name, step, loss: told, done: Math.min(1, flops / budget), resumedAt });
    } else if (event.topic === "checkpoint.saved") keep();
    parts.onEvent?.(event);
  }

  const request = { config, profile, backend: parts.backend, out, resume: begun ? folder : null };
  const reply: ArmReply = await runner.run(request, AbortSignal.any([signal, failed.signal]), onEvent);
  await saving;
  failed.signal.throwIfAborted();
  if (reply.outcome === "interrupted") return null;

  const { record, lines } = readRunRecord(folder, USED_FILE);
  const { data } = job.hashes;
  if (data !== null && record.dataset.sha256 !== data) {
    throw new UserError(
      `fleet: job ${job.name}: want examples ${data.slice(0, 12)}, got ${
        record.dataset.sha256.slice(0, 12)
      }; ` +
        "give this worker the same files",
    );
  }
  const files = await storeFolder(readFolder(folder, known), store, known);
  const put = (value: unknown) =>
    store.put(new TextEncoder().encode(canonicalJson(JSON.parse(JSON.stringify(value)))));
  const outcome = { evidence: await put(outcomeOf(reply, lines)), account: await put(reply), files };
  await store.writeManifest(RESULT, id, outcome as Json);
  await store.removeManifest(PROGRESS, id);
  removeFolder(out);
  return outcome;
}

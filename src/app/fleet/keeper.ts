/** What a job has come to so far, in the store: for whoever goes on with it, and for whoever asked for it. */
import { z } from "zod";
import type { Outcome } from "../../fleet/mod.ts";
import type { Hash, Store } from "../../urza/mod.ts";
import { canonicalJson, type Json } from "../../util/json.ts";

/** Kind of manifests that say where an unfinished job stands, by the id it was submitted under, and of those of results. */
const PROGRESS = "fleet-progress", RESULT = "fleet-result";

const Snapshot = z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/));

export interface Keeper {
  /** Whether somebody has begun the job: then what he left is in the folder. */
  readonly begun: boolean;
  /** Takes the folder as it stands now; it goes to the store meanwhile, and of those that wait the newest. */
  keep(): void;
  /** Aborted where something could not be kept: the job must end. */
  readonly failed: AbortSignal;
  /** Resolves when all is kept. @throws what went wrong. */
  settled(): Promise<void>;
  /** Keeps what the job came to, and removes the folder. */
  finish(evidence: unknown, account: unknown): Promise<Outcome>;
}

/** A keeper of the folder of the job that was submitted as `id`. */
export async function openKeeper(store: Store, id: string, folder: string): Promise<Keeper> {
  const { readFolder, removeFolder, restoreFolder, storeFolder } = await import("../adapters/snapshot.ts");
  const known = new Set<Hash>(), failed = new AbortController();
  const begun = (await store.listManifests(PROGRESS)).includes(id);
  if (begun) {
    const snapshot = Snapshot.parse(await store.readManifest(PROGRESS, id));
    Object.values(snapshot).forEach((hash) => known.add(hash));
    await restoreFolder(snapshot, store, folder);
  } else removeFolder(folder);

  let saving: Promise<void> = Promise.resolve(), pending: ReturnType<typeof readFolder> | null = null;
  const put = (value: unknown) =>
    store.put(new TextEncoder().encode(canonicalJson(JSON.parse(JSON.stringify(value)))));
  const settled = async () => {
    await saving;
    failed.signal.throwIfAborted();
  };
  return {
    begun,
    failed: failed.signal,
    keep() {
      const waits = pending !== null;
      pending = readFolder(folder, known);
      if (waits) return;
      saving = saving.then(async () => {
        const files = pending!;
        pending = null;
        await store.writeManifest(PROGRESS, id, await storeFolder(files, store, known) as Json);
      }).catch((error) => failed.abort(error));
    },
    settled,
    async finish(evidence, account) {
      await settled();
      const files = await storeFolder(readFolder(folder, known), store, known);
      const outcome = { evidence: await put(evidence), account: await put(account), files };
      await store.writeManifest(RESULT, id, outcome as Json);
      await store.removeManifest(PROGRESS, id);
      removeFolder(folder);
      return outcome;
    },
  };
}

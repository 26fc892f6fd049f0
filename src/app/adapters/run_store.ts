import type { UrzaConfig } from "../../contracts/config.ts";
import { createFileStore } from "../../urza/adapters/files.ts";
import { openStore } from "../../urza/adapters/open_store.ts";
import { type Records, scopedStore, type Store } from "../../urza/mod.ts";

type PostgresConfig = Extract<UrzaConfig, { kind: "postgres" }>;

/** A store that many runs share, open for one of them. */
export interface SharedStore {
  /** As the run of that name sees it. */
  of(run: string): Store;
  close(): Promise<void>;
}

/** The configuration of a shared store; null where a run keeps what it writes in its folder. */
export function sharedStoreIn(config: unknown): PostgresConfig | null {
  const { urza } = (config ?? {}) as { urza?: UrzaConfig };
  return urza?.kind === "postgres" ? urza : null;
}

/** Opens a store that many runs share. What one of them need no longer keep is collected once an hour for all. */
export async function openSharedStore(config: PostgresConfig): Promise<SharedStore> {
  const { store, due, close } = await openStore(config, "");
  const seldom: Store = {
    ...store,
    collect: async (keep, options) =>
      await due() ? await store.collect(keep, options) : { blobs: 0, temporaries: 0, sizeBytes: 0 },
  };
  return { of: (run) => scopedStore(seldom, run), close };
}

/** The store of a run for those who look at it now and then: in its folder, or opened anew for each question. */
export function storeOfRun(directory: string, run: string, config: unknown): Store {
  const shared = sharedStoreIn(config);
  if (shared === null) return createFileStore(`${directory}/store`);
  async function visit<T>(ask: (store: Store) => Promise<T>): Promise<T> {
    const { of, close } = await openSharedStore(shared!);
    try {
      return await ask(of(run));
    } finally {
      await close();
    }
  }
  const records: Records = {
    register: (...args) => visit((store) => store.records.register(...args)),
    read: (...args) => visit((store) => store.records.read(...args)),
    list: (...args) => visit((store) => store.records.list(...args)),
    claim: (...args) => visit((store) => store.records.claim(...args)),
    renew: (...args) => visit((store) => store.records.renew(...args)),
    settle: (...args) => visit((store) => store.records.settle(...args)),
    move: (...args) => visit((store) => store.records.move(...args)),
    expireLeases: (...args) => visit((store) => store.records.expireLeases(...args)),
  };
  return {
    put: (...args) => visit((store) => store.put(...args)),
    get: (...args) => visit((store) => store.get(...args)),
    has: (...args) => visit((store) => store.has(...args)),
    writeManifest: (...args) => visit((store) => store.writeManifest(...args)),
    readManifest: (...args) => visit((store) => store.readManifest(...args)),
    listManifests: (...args) => visit((store) => store.listManifests(...args)),
    removeManifest: (...args) => visit((store) => store.removeManifest(...args)),
    collect: (...args) => visit((store) => store.collect(...args)),
    records,
  };
}

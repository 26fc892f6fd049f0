import type { Store } from "./store.ts";

/** What divides the name of a run from that of its manifest; names of runs have none. */
export const SCOPE_MARK = "@";

/** A store as one of many runs sees it: manifests under its own name, blobs and records everybody's. */
export function scopedStore(store: Store, run: string): Store {
  const prefix = `${run}${SCOPE_MARK}`;
  return {
    put: store.put,
    get: store.get,
    has: store.has,
    records: store.records,
    collect: store.collect,
    writeManifest: (kind, name, value) => store.writeManifest(kind, prefix + name, value),
    readManifest: (kind, name) => store.readManifest(kind, prefix + name),
    removeManifest: (kind, name) => store.removeManifest(kind, prefix + name),
    listManifests: async (kind) =>
      (await store.listManifests(kind)).filter((name) => name.startsWith(prefix)).map((name) =>
        name.slice(prefix.length)
      ),
  };
}

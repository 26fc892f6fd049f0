/** Urza: the store for blobs by hash, manifests by name, and records of blueprints and kernels. */
export { type Contents, listStore, type Verified, verifyStore } from "./inspect.ts";
export { createMemoryStore } from "./memory.ts";
export { scopedStore } from "./scoped.ts";
export type {
  AssetRecord,
  Collected,
  Hash,
  Lease,
  RecordKind,
  RecordMove,
  Records,
  RecordState,
  Store,
} from "./store.ts";

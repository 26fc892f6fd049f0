/** Urza: the store for blobs by hash, manifests by name, and records of blueprints and kernels. */
export { type Copied, copyStore } from "./copy.ts";
export { type Contents, listStore, type Verified, verifyStore } from "./inspect.ts";
export { createMemoryStore } from "./memory.ts";
export { SCOPE_MARK, scopedStore } from "./scoped.ts";
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

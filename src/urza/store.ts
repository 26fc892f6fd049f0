import type { Json } from "../util/json.ts";

/** SHA-256 of the content, 64 lower-case hexadecimal digits. */
export type Hash = string;

/** What garbage collection took away. */
export interface Collected {
  blobs: number;
  /** Left behind by writers that were killed. */
  temporaries: number;
  sizeBytes: number;
}

/**
 * Content-addressed blobs, named manifests that refer to them, and records of what may be deployed.
 *
 * A checkpoint is a manifest that names its blobs' hashes: `put` every blob first, `writeManifest` last, and a kill at
 * any moment leaves the previous checkpoint whole. What has resolved survives a power cut. Any number of processes may
 * read and write the same store.
 */
export interface Store {
  /** Stores the bytes under their hash; storing the same bytes again changes nothing, except to mend a broken copy. */
  put(bytes: Uint8Array): Promise<Hash>;
  /** @throws when the blob is missing or its content no longer has that hash; the error names both hashes */
  get(hash: Hash): Promise<Uint8Array>;
  has(hash: Hash): Promise<boolean>;

  /** Writes or replaces a manifest in one step: readers see the old one or the new one. */
  writeManifest(kind: string, name: string, value: Json): Promise<void>;
  /** @throws when there is none of that name, or its text no longer has the checksum inside it */
  readManifest(kind: string, name: string): Promise<Json>;
  /** Names in alphabetical order; empty for an unknown kind. */
  listManifests(kind: string): Promise<string[]>;
  /** Removing what is not there is no error. */
  removeManifest(kind: string, name: string): Promise<void>;

  /** Blueprints and kernels with their states. */
  readonly records: Records;

  /**
   * Removes blobs that no manifest or record mentions (any 64-digit hexadecimal string counts as a mention) and that
   * are not in `keep`, and leftovers of killed writers. A blob that somebody, in any process, has put within the last
   * hour and not mentioned yet is kept, so that a manifest may follow it. With `dryRun` it only counts blobs.
   *
   * @throws when a manifest cannot be read; then nothing is removed
   */
  collect(keep?: Iterable<Hash>, options?: { dryRun?: boolean }): Promise<Collected>;
}

export type RecordKind = "blueprint" | "kernel";

export type RecordState = "UNVALIDATED" | "COMPILING" | "VALIDATED" | "INVALID" | "DEPLOYED" | "RETIRED";

/** Who compiles, and until when (milliseconds since 1970). */
export interface Lease {
  owner: string;
  until: number;
}

/** One move of a record: the reason in words, `time` in milliseconds since 1970. */
export interface RecordMove {
  from: RecordState;
  to: RecordState;
  time: number;
  reason: string;
}

/** What is known of a blueprint or kernel; `meta` and `report` are the caller's. */
export interface AssetRecord {
  kind: RecordKind;
  hash: Hash;
  state: RecordState;
  lease: Lease | null;
  meta: Json;
  /** What validation found; null before. */
  report: Json;
  history: RecordMove[];
}

/**
 * State machines of blueprints and kernels: UNVALIDATED → COMPILING (under a lease) → VALIDATED | INVALID, COMPILING →
 * UNVALIDATED when the lease runs out, VALIDATED → DEPLOYED → RETIRED. Any other move is an error naming both states.
 */
export interface Records {
  /** A new record in UNVALIDATED; the record there is, if there is one. */
  register(kind: RecordKind, hash: Hash, meta: Json): Promise<AssetRecord>;
  /** @throws when there is no such record */
  read(kind: RecordKind, hash: Hash): Promise<AssetRecord>;
  list(kind: RecordKind, state?: RecordState): Promise<AssetRecord[]>;
  /**
   * UNVALIDATED → COMPILING with a lease for `owner`; a lease that has run out is taken over.
   *
   * @throws when the record is in another state or someone else's lease still holds
   */
  claim(kind: RecordKind, hash: Hash, owner: string, leaseMs: number): Promise<AssetRecord>;
  /**
   * Makes the lease of `owner` last for `leaseMs` from now.
   *
   * @throws when the lease is another's or has run out
   */
  renew(kind: RecordKind, hash: Hash, owner: string, leaseMs: number): Promise<AssetRecord>;
  /**
   * COMPILING → VALIDATED or INVALID by the holder of the lease, with the validation's report.
   *
   * @throws when the lease is another's or has run out
   */
  settle(
    kind: RecordKind,
    hash: Hash,
    owner: string,
    to: "VALIDATED" | "INVALID",
    report: Json,
  ): Promise<AssetRecord>;
  /** VALIDATED → DEPLOYED or DEPLOYED → RETIRED. */
  move(kind: RecordKind, hash: Hash, to: "DEPLOYED" | "RETIRED", reason: string): Promise<AssetRecord>;
  /** COMPILING → UNVALIDATED where leases have run out; returns those records. */
  expireLeases(kind: RecordKind): Promise<AssetRecord[]>;
}

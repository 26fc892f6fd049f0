import type { Json } from "../util/json.ts";
import type { AssetRecord, Hash, RecordKind, Records, RecordState } from "./store.ts";

/** The moves there are. */
const moves: Record<RecordState, readonly RecordState[]> = {
  UNVALIDATED: ["COMPILING"],
  COMPILING: ["VALIDATED", "INVALID", "UNVALIDATED"],
  VALIDATED: ["DEPLOYED"],
  INVALID: [],
  DEPLOYED: ["RETIRED"],
  RETIRED: [],
};

/** What the records need of the store beneath them. */
export interface RecordFiles {
  /** Undefined where there is none. */
  read(path: string): Promise<Json | undefined>;
  write(path: string, value: Json): Promise<void>;
  list(folder: string): Promise<string[]>;
  exclusively<T>(work: () => Promise<T>): Promise<T>;
}

/** The state machines over sealed files, one a record; `now` is in milliseconds since 1970. */
export function createRecords(files: RecordFiles, now: () => number): Records {
  async function read(kind: RecordKind, hash: Hash): Promise<AssetRecord> {
    const record = await files.read(pathOf(kind, hash));
    if (record === undefined) {
      throw new Error(`urza: want a record of ${kind} ${hash}, got none; register it first`);
    }
    return record as unknown as AssetRecord;
  }

  async function save(record: AssetRecord): Promise<AssetRecord> {
    await files.write(pathOf(record.kind, record.hash), record as unknown as Json);
    return record;
  }

  function change(kind: RecordKind, hash: Hash, edit: (record: AssetRecord) => void): Promise<AssetRecord> {
    return files.exclusively(async () => {
      const record = await read(kind, hash);
      edit(record);
      return await save(record);
    });
  }

  async function list(kind: RecordKind, state?: RecordState): Promise<AssetRecord[]> {
    const all: AssetRecord[] = [];
    for (const path of await files.list(`records/${kind}`)) {
      all.push(await files.read(path) as unknown as AssetRecord);
    }
    return state === undefined ? all : all.filter((record) => record.state === state);
  }

  function move(record: AssetRecord, to: RecordState, reason: string): void {
    const { kind, hash, state: from } = record;
    if (!moves[from].includes(to)) {
      const want = moves[from].length > 0 ? moves[from].join(" or ") : `no move, ${from} being final`;
      throw new Error(`urza: want ${want} after ${from} for ${kind} ${hash}, got ${to}`);
    }
    record.history.push({ from, to, time: now(), reason });
    record.state = to;
    if (to !== "COMPILING") record.lease = null;
  }

  function expire(record: AssetRecord): boolean {
    if (record.lease === null || record.lease.until > now()) return false;
    move(record, "UNVALIDATED", `lease of ${record.lease.owner} ran out`);
    return true;
  }

  return {
    read,
    list,

    register: (kind, hash, meta) =>
      files.exclusively(async () => {
        const there = await files.read(pathOf(kind, hash));
        if (there !== undefined) return there as unknown as AssetRecord;
        return await save({ kind, hash, state: "UNVALIDATED", lease: null, meta, report: null, history: [] });
      }),

    claim: (kind, hash, owner, leaseMs) =>
      change(kind, hash, (record) => {
        expire(record);
        if (record.lease !== null) {
          const { owner: holder, until } = record.lease;
          throw new Error(
            `urza: want ${kind} ${hash} UNVALIDATED to claim it, got COMPILING under the lease of ${holder}, ` +
              `${until - now()} ms to go`,
          );
        }
        move(record, "COMPILING", `claimed by ${owner}`);
        record.lease = { owner, until: now() + leaseMs };
      }),

    settle: (kind, hash, owner, to, report) =>
      change(kind, hash, (record) => {
        const { lease } = record;
        if (lease !== null && (lease.owner !== owner || lease.until <= now())) {
          const got = lease.owner === owner ? `one that ran out ${now() - lease.until} ms ago` : lease.owner;
          throw new Error(
            `urza: want the lease of ${owner} on ${kind} ${hash} to settle it as ${to}, got ${got}; claim it again`,
          );
        }
        move(record, to, `settled by ${owner}`);
        record.report = report;
      }),

    move: (kind, hash, to, reason) => change(kind, hash, (record) => move(record, to, reason)),

    expireLeases: (kind) =>
      files.exclusively(async () => {
        const expired = (await list(kind, "COMPILING")).filter(expire);
        for (const record of expired) await save(record);
        return expired;
      }),
  };
}

function pathOf(kind: RecordKind, hash: Hash): string {
  if (!/^[0-9a-f]{64}$/.test(hash)) {
    throw new Error(`urza: want a hash of 64 hexadecimal digits, got "${hash}"`);
  }
  return `records/${kind}/${hash}.json`;
}

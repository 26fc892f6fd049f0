import type { Json } from "../util/json.ts";
import { type Index, survey } from "./index.ts";
import type { Medium } from "./medium.ts";
import { nameIn, recordPath } from "./paths.ts";
import { parseRecord } from "./record_schema.ts";
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
  medium: Medium;
  /** Undefined where there is none. */
  read(path: string): Promise<Json | undefined>;
  write(path: string, value: Json): Promise<void>;
  index: Index | null;
}

/** The state machines over sealed files, one a record; `now` is in milliseconds since 1970. */
export function createRecords(
  { medium, read: readFile, write, index }: RecordFiles,
  now: () => number,
): Records {
  async function find(kind: RecordKind, hash: Hash): Promise<AssetRecord | null> {
    const path = recordPath(kind, hash);
    const value = await readFile(path);
    return value === undefined ? null : parseRecord(value, kind, hash, medium.locate(path));
  }

  async function read(kind: RecordKind, hash: Hash): Promise<AssetRecord> {
    const record = await find(kind, hash);
    if (record !== null) return record;
    throw new Error(`urza: want a record of ${kind} ${hash}, got none; register it first`);
  }

  async function save(record: AssetRecord): Promise<AssetRecord> {
    await write(recordPath(record.kind, record.hash), record as unknown as Json);
    return record;
  }

  async function change(
    kind: RecordKind,
    hash: Hash,
    edit: (record: AssetRecord) => void,
  ): Promise<AssetRecord> {
    const changed = await medium.alone(recordPath(kind, hash), async () => {
      const record = await read(kind, hash);
      edit(record);
      return await save(record);
    });
    return changed!;
  }

  async function list(kind: RecordKind, state?: RecordState): Promise<AssetRecord[]> {
    const records: AssetRecord[] = [];
    for (const path of await candidates(`records/${kind}`, state)) {
      const record = await find(kind, nameIn(path));
      if (record !== null && (state === undefined || record.state === state)) records.push(record);
    }
    return records;
  }

  /** Files that may hold a record of that state; what cannot be read is among them. */
  async function candidates(folder: string, state?: RecordState): Promise<string[]> {
    if (state === undefined || index === null) return await medium.list(folder);
    const files = await survey(medium, index, folder);
    return files.filter(({ facts }) => facts instanceof Error || facts.state === state).map(({ path }) =>
      path
    );
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

  function checkLength(leaseMs: number, kind: RecordKind, hash: Hash): void {
    if (leaseMs > 0 && leaseMs < Infinity) return;
    throw new Error(`urza: want a lease of more than 0 ms on ${kind} ${hash}, got ${leaseMs}`);
  }

  /** Throws unless the record is under a lease of `owner`, and that holds. */
  function checkHolder({ kind, hash, lease }: AssetRecord, owner: string, purpose: string): void {
    if (lease?.owner === owner && lease.until > now()) return;
    const got = lease === null
      ? "none"
      : lease.owner === owner
      ? `one that ran out ${now() - lease.until} ms ago`
      : lease.owner;
    throw new Error(
      `urza: want the lease of ${owner} on ${kind} ${hash} to ${purpose}, got ${got}; claim it again`,
    );
  }

  return {
    read,
    list,

    async register(kind, hash, meta) {
      const record = await medium.alone(recordPath(kind, hash), async () => {
        return await find(kind, hash) ??
          await save({ kind, hash, state: "UNVALIDATED", lease: null, meta, report: null, history: [] });
      });
      return record!;
    },

    claim: (kind, hash, owner, leaseMs) =>
      change(kind, hash, (record) => {
        checkLength(leaseMs, kind, hash);
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

    renew: (kind, hash, owner, leaseMs) =>
      change(kind, hash, (record) => {
        checkLength(leaseMs, kind, hash);
        checkHolder(record, owner, "renew it");
        record.lease = { owner, until: now() + leaseMs };
      }),

    settle: (kind, hash, owner, to, report) =>
      change(kind, hash, (record) => {
        if (record.lease !== null) checkHolder(record, owner, `settle it as ${to}`);
        move(record, to, `settled by ${owner}`);
        record.report = report;
      }),

    move: (kind, hash, to, reason) => change(kind, hash, (record) => move(record, to, reason)),

    async expireLeases(kind) {
      const expired: AssetRecord[] = [];
      for (const { hash } of await list(kind, "COMPILING")) {
        // Who is at it now leaves it in order.
        const record = await medium.alone(recordPath(kind, hash), async () => {
          const record = await find(kind, hash);
          return record !== null && expire(record) ? await save(record) : null;
        }, { skip: true });
        if (record !== null) expired.push(record);
      }
      return expired;
    },
  };
}

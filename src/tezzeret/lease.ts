import type { Json } from "../util/json.ts";
import type { AssetRecord, Hash, RecordKind, Records } from "../urza/store.ts";

/** A record and who wants it settled. */
export interface Claim {
  readonly kind: RecordKind;
  readonly hash: Hash;
  readonly meta: Json;
  /** Unique to a process: after a kill nobody has the name of the dead, whose lease must run out. */
  readonly owner: string;
  readonly leaseMs: number;
}

/** What work found out about a record. */
export interface Verdict {
  readonly to: "VALIDATED" | "INVALID";
  readonly report: Json;
}

/** How work that goes on for long says that it is still at it. */
export interface Heartbeat {
  /** Milliseconds in which it is to be heard of. */
  readonly everyMs: number;
  beat(): void;
}

const POLL_MS = 100;

/** Beats while work goes on, from the thread that does it: one that hangs or is stopped falls silent. */
export async function beating<T>(heartbeat: Heartbeat | undefined, work: () => Promise<T>): Promise<T> {
  if (!heartbeat) return await work();
  const timer = setInterval(() => heartbeat.beat(), heartbeat.everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/**
 * The settled record of an asset: as it is where it is settled, else after `work` under a lease, or after somebody
 * else's work. Leases are short, and renewed for as long as the work's heartbeat is heard: a killed process delays its
 * successor by `leaseMs` at most, and slow work is not done twice. A lease that ran out all the same, as a process was
 * stopped, is claimed again to hand in the result; where two then work on one asset the first result counts, and both
 * are the same, as the work depends on nothing but the asset.
 *
 * @throws {Error} what `work` throws; the record may be claimed again once the lease has run out.
 */
export async function settleOnce(
  records: Records,
  { kind, hash, meta, owner, leaseMs }: Claim,
  work: (heartbeat: Heartbeat) => Promise<Verdict>,
): Promise<AssetRecord> {
  let verdict: Verdict | null = null;
  let secondTry = false;
  let waiting = { holder: "", since: 0 };
  let renewing: Promise<unknown> | null = null;
  const heartbeat: Heartbeat = {
    everyMs: leaseMs / 3,
    beat() {
      // What cannot be renewed is claimed again when the work is done.
      renewing ??= records.renew(kind, hash, owner, leaseMs).catch(() => {}).finally(() => renewing = null);
    },
  };
  for (;;) {
    const record = await records.register(kind, hash, meta);
    if (record.state !== "UNVALIDATED" && record.state !== "COMPILING") return record;
    try {
      await records.claim(kind, hash, owner, leaseMs);
    } catch (error) {
      // Somebody else holds it, or has just settled it. One lease that outlives its time is another matter: the clock
      // was set back, or the store cannot be written.
      const { state, lease } = await records.read(kind, hash);
      const holder = JSON.stringify([state, lease]);
      if (holder !== waiting.holder) waiting = { holder, since: performance.now() };
      if (state === "UNVALIDATED" || performance.now() - waiting.since > 2 * leaseMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      continue;
    }
    try {
      verdict ??= await work(heartbeat);
    } finally {
      await renewing;
    }
    try {
      return await records.settle(kind, hash, owner, verdict.to, verdict.report);
    } catch (error) {
      // The lease may have run out under the work. With a fresh one, and the verdict at hand, there is no excuse.
      if (secondTry) throw error;
      secondTry = true;
    }
  }
}

import type { AnyEnvelope } from "../../contracts/events.ts";
import { UserError } from "../../util/errors.ts";
import { sleep } from "../delivery.ts";
import { connectRedis, type RedisSecrets, shownUrl } from "./redis_connection.ts";
import { BURY, type Entry, keysOf, messageOf, numberOf } from "./redis_stream.ts";

/** What a follower wants to hear. */
export interface FollowOptions {
  readonly url: string;
  /** Name that the publisher has given its stream. */
  readonly channel: string;
  readonly secrets: RedisSecrets;
  /** Sequence number of the first message wanted. Default: the oldest that is kept. A group that is there goes on. */
  readonly from?: number;
  /**
   * Followers of one group share the messages, each of which is done when a handler has taken it; what a follower that
   * has died had in work goes to another. Absent: this follower hears everything, and nothing is remembered of it.
   */
  readonly group?: { readonly name: string; readonly consumer: string };
  /** Tries of a message, by any follower, before it becomes a dead letter. Default 5. */
  readonly tries?: number;
  /** Silence after which another follower's message counts as forsaken. Default 30,000. */
  readonly claimMs?: number;
  /** Ends it: after the message in work. */
  readonly signal: AbortSignal;
  /** Told when the server goes away, and with null when it is back. */
  readonly onAway?: (reason: string | null) => void;
}

const BLOCK_MS = 500, BATCH = 64;
const BACKOFF_MS = 50, MAX_BACKOFF_MS = 1000;

type Streams = [stream: string, entries: Entry[]][] | null;

/**
 * Hands over a channel's messages, in order, until the signal is aborted. A handler that throws gets the message again;
 * without a group a message that is none is passed over, in one it becomes a dead letter. A lost server is waited for.
 *
 * @throws {UserError} where the server is absent or refuses, or messages from `from` on are no longer kept
 */
export async function followRedis(
  options: FollowOptions,
  handler: (message: AnyEnvelope) => void | Promise<void>,
): Promise<void> {
  const { url, channel, group, signal, from = 1, tries = 5, claimMs = 30_000 } = options;
  const keys = keysOf(channel);
  const { redis, reason, close } = await connectRedis(url, options.secrets);
  let last = from - 1;
  let claimed = -Infinity, ownDone = false;

  async function requireKept(): Promise<void> {
    if (from === 1) return;
    const [oldest] = await redis.xrange(keys.stream, "-", "+", "COUNT", 1) as Entry[];
    const info = await redis.call("XINFO", "STREAM", keys.stream).catch(() => []) as unknown[];
    const valueOf = (name: string) => Number(info[info.indexOf(name) + 1]);
    const trimmed = info.length > 0 && valueOf("entries-added") > valueOf("length");
    if (oldest && trimmed && from < numberOf(oldest)) {
      throw new UserError(
        `oona: want "${channel}" from ${from} on, got a stream that begins with ${
          numberOf(oldest)
        }; the run's ` +
          "events.jsonl has everything",
      );
    }
  }

  /** Makes the group where it is not there, as in a server that has lost its memory. */
  async function join(): Promise<void> {
    if (!group) return;
    await redis.xgroup("CREATE", keys.stream, group.name, `${last}-0`, "MKSTREAM").catch((error: Error) => {
      if (!error.message.startsWith("BUSYGROUP")) throw error;
    });
    ownDone = false;
  }

  /** Everything, from the last number on. */
  async function readAll(): Promise<Entry[]> {
    const id = `${last}-18446744073709551615`;
    const found = await redis.xread("COUNT", BATCH, "BLOCK", BLOCK_MS, "STREAMS", keys.stream, id) as Streams;
    return found?.[0][1] ?? [];
  }

  /** What this follower had in work when it died, then what others have forsaken, then what is new. */
  async function readShared({ name, consumer }: NonNullable<typeof group>): Promise<Entry[]> {
    const read = async (id: string) => {
      const words = ["GROUP", name, consumer, "COUNT", BATCH, "BLOCK", BLOCK_MS, "STREAMS", keys.stream, id];
      const found = await redis.call("XREADGROUP", words) as Streams;
      return found?.[0][1] ?? [];
    };
    if (!ownDone) {
      const own = await read("0");
      ownDone = own.length === 0;
      if (!ownDone) return own;
    }
    if (performance.now() - claimed >= claimMs / 2) {
      const [, entries] = await redis.xautoclaim(
        keys.stream,
        name,
        consumer,
        claimMs,
        "0",
        "COUNT",
        BATCH,
      ) as [string, Entry[]];
      if (entries.length > 0) return entries;
      claimed = performance.now();
    }
    return await read(">");
  }

  /** How often an entry has been handed to a follower of the group, this time included. */
  async function deliveries(name: string, id: string): Promise<number> {
    const [pending] = await redis.xpending(keys.stream, name, id, id, 1) as [
      string,
      string,
      number,
      number,
    ][];
    return pending?.[3] ?? 1;
  }

  /** Resolves to what is wrong with the entry, or with the last try; null where it is done. */
  async function attempt(entry: Entry, count: number): Promise<string | null> {
    let error: unknown;
    for (let k = 0; k < count && !signal.aborted; k++) {
      if (k > 0) await sleep(10 * 2 ** (k - 1), signal);
      try {
        await handler(messageOf(entry));
        return null;
      } catch (thrown) {
        error = thrown;
      }
    }
    return error instanceof Error ? error.message : String(error);
  }

  async function take(entry: Entry): Promise<void> {
    if (!group) {
      await attempt(entry, tries);
      last = numberOf(entry);
      return;
    }
    // Trimmed from the stream since it was handed over.
    if (entry[1] === null) return void await redis.xack(keys.stream, group.name, entry[0]);
    const before = await deliveries(group.name, entry[0]);
    const fault = before > tries ? `${before - 1} followers have died over it` : await attempt(entry, tries);
    if (fault === null) await redis.xack(keys.stream, group.name, entry[0]);
    else if (!signal.aborted) {
      await redis.eval(
        BURY,
        2,
        keys.stream,
        keys.dead,
        group.name,
        entry[0],
        entry[1]?.[1] ?? "",
        fault,
      );
    }
    last = Math.max(last, numberOf(entry));
  }

  try {
    await requireKept();
    let away = false, joined = false;
    for (let wait = BACKOFF_MS; !signal.aborted;) {
      try {
        if (!joined) await join();
        joined = true;
        const entries = group ? await readShared(group) : await readAll();
        wait = BACKOFF_MS;
        if (away) options.onAway?.(null);
        away = false;
        for (const entry of entries) if (!signal.aborted) await take(entry);
      } catch (error) {
        const why = reason(error);
        if (!away) options.onAway?.(why);
        away = true;
        joined = false;
        if (why === "Command timed out") redis.disconnect(true);
        await sleep(wait, signal);
        wait = Math.min(2 * wait, MAX_BACKOFF_MS);
      }
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`oona: want to follow "${channel}" on ${shownUrl(url)}, got: ${reason(error)}`);
  } finally {
    await close();
  }
}

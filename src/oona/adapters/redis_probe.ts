import { UnavailableError, UserError } from "../../util/errors.ts";
import { connectRedis, type RedisSecrets, shownUrl } from "./redis_connection.ts";

/** How long what a look writes stays where the look itself is cut off. */
const PROBE_MS = 10_000;

/**
 * Looks whether a server can do a bus's work: it takes writes, gives them back, and has them on disk.
 *
 * @returns what was found, in words
 * @throws {UnavailableError} where it does not answer; {UserError} where it would not do
 */
export async function lookAtRedis(url: string, secrets: RedisSecrets): Promise<string> {
  const place = shownUrl(url);
  const fault = (got: string, cure: string) =>
    new UserError(`redis: want ${place} ready, got ${got}; ${cure}`);
  const { redis, reason, close } = await connectRedis(url, secrets).catch((error: Error) => {
    if (/does not answer|timed out|ECONN|EHOSTUNREACH/i.test(error.message)) {
      throw new UnavailableError(error.message);
    }
    throw error;
  });
  try {
    const info = await redis.info();
    const told = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
    if (told("aof_enabled") !== "1") {
      throw fault("no append-only file: a restart would lose messages", "start it with --appendonly yes");
    }
    if (told("aof_last_write_status") !== "ok") {
      throw fault("a failed write of its append-only file", "free its disk");
    }
    const key = `esper:{probe}:${crypto.randomUUID()}`;
    await redis.set(key, key, "PX", PROBE_MS);
    if (await redis.get(key) !== key) throw fault("another value than was written", "name the primary");
    await redis.del(key);
    return `Redis ${told("redis_version")} takes writes and has them on disk`;
  } catch (error) {
    if (error instanceof UserError) throw error;
    const why = reason(error);
    if (/timed out/.test(why)) {
      throw new UnavailableError(`redis: want an answer from ${place}, got: ${why}; see what holds it up`);
    }
    throw fault(why, "free its memory or its disk, or give the account leave to write");
  } finally {
    await close();
  }
}

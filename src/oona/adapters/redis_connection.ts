import type { Redis } from "ioredis";
import { usageError, UserError } from "../../util/errors.ts";

/** What the environment says of a Redis server: neither belongs into a configuration. */
export interface RedisSecrets {
  readonly password?: string;
  /** Authorities that a server's certificate may come from, as PEM. Absent: those of the system. */
  readonly ca?: string;
}

/** How long a run waits for its server before it begins; a command, before the server counts as gone. */
const CONNECT_MS = 5000, COMMAND_MS = 2000;
const MAX_BACKOFF_MS = 2000, CLOSE_MS = 500;
/** What no second try will cure. */
const HOPELESS = /WRONGPASS|NOAUTH|NOPERM|certificate|UnknownIssuer|CERT_|self.signed/i;

/** `REDIS_PASSWORD`, and the file that `REDIS_CA` names. */
export function redisSecrets(): RedisSecrets {
  const password = Deno.env.get("REDIS_PASSWORD"), path = Deno.env.get("REDIS_CA");
  const read = (path: string) => {
    try {
      return Deno.readTextFileSync(path);
    } catch (error) {
      throw usageError(`REDIS_CA: want a PEM file that can be read, got: ${(error as Error).message}`);
    }
  };
  return { ...password && { password }, ...path && { ca: read(path) } };
}

/** A server as it may be shown: no password, no account. */
export function shownUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname.replace(/\/$/, "")}`;
}

/** Two names for one thing: what went wrong last, and whether another try makes sense. */
function cureOf(reason: string): string {
  if (/WRONGPASS|NOAUTH|NOPERM/.test(reason)) return "set REDIS_PASSWORD, and the account in the URL";
  if (HOPELESS.test(reason)) return "renew the server's certificate, or set REDIS_CA to its authority";
  return "start the server, or set oona.kind=memory";
}

/** A connection that comes back by itself. */
export interface Connection {
  readonly redis: Redis;
  /** What went wrong last. */
  reason(error: unknown): string;
  close(): Promise<void>;
}

/**
 * Connects, and goes on connecting whenever the server is lost. Commands fail at once while it is, and after 2 s where
 * it is silent.
 *
 * @throws {UserError} within 5 s, where the server is absent, or will not have this client
 */
export async function connectRedis(
  url: string,
  { password, ca }: RedisSecrets,
): Promise<Connection> {
  const { Redis } = await import("ioredis");
  const redis = new Redis(url, {
    lazyConnect: true,
    protocol: 2,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: COMMAND_MS,
    commandTimeout: COMMAND_MS,
    disconnectTimeout: 200,
    retryStrategy: (times) => Math.min(50 * 2 ** (times - 1), MAX_BACKOFF_MS),
    ...password !== undefined && { password },
    ...url.startsWith("rediss:") && { tls: { ...ca !== undefined && { ca } } },
  });
  let last = "it does not answer";
  const ready = Promise.withResolvers<void>();
  redis.on("ready", () => ready.resolve());
  redis.on("error", (error: Error) => {
    last = describe(error);
    if (HOPELESS.test(last)) ready.reject(error);
  });
  redis.connect().catch((error: Error) => {
    if (HOPELESS.test(describe(error))) ready.reject(error);
  });
  const timer = setTimeout(() => ready.reject(new Error(last)), CONNECT_MS);
  const close = async () => {
    if (redis.status === "end") return;
    const { promise, resolve } = Promise.withResolvers<void>();
    redis.once("end", resolve);
    redis.disconnect();
    // A connection whose handshake failed may never say that it has ended.
    const timer = setTimeout(resolve, CLOSE_MS);
    await promise;
    clearTimeout(timer);
  };
  try {
    await ready.promise;
  } catch {
    await close();
    throw new UserError(`oona: want an answer from ${shownUrl(url)}, got: ${last}; ${cureOf(last)}`);
  } finally {
    clearTimeout(timer);
  }
  return {
    redis,
    reason: (error) => /writeable|Connection is closed/.test(describe(error)) ? last : describe(error),
    close,
  };
}

function describe(error: unknown): string {
  const { message, code, errors } = error as { message: string; code?: string; errors?: Error[] };
  return (message || errors?.[0]?.message || code || "it does not answer").split("\n")[0];
}

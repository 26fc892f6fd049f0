import { hostname } from "node:os";
import type { AnyEnvelope } from "../../contracts/events.ts";

/** Which of a run's messages are wanted, and how long. */
export interface Following {
  readonly signal: AbortSignal;
  /** Sequence number of the first. Default: the oldest that the server keeps. */
  readonly from?: number;
  /** Shares the messages with others of that group, and goes on where the group has stopped. */
  readonly group?: string;
  /** Told in a line when the server goes away and when it is back. */
  onAway(line: string): void;
}

/**
 * Hands over what a run has told and tells on a Redis server, until the signal is aborted.
 *
 * @throws {UserError} where the server is absent or refuses, or messages from `from` on are no longer kept
 */
export async function followRun(
  url: string,
  run: string,
  { signal, from, group, onAway }: Following,
  take: (event: AnyEnvelope) => void,
): Promise<void> {
  const { followRedis } = await import("../../oona/adapters/redis_follower.ts");
  const { redisSecrets } = await import("../../oona/adapters/redis_connection.ts");
  await followRedis({
    url,
    channel: run,
    secrets: redisSecrets(),
    signal,
    ...from !== undefined && { from },
    ...group !== undefined && { group: { name: group, consumer: `${hostname()}-${Deno.pid}` } },
    onAway: (reason) =>
      onAway(reason === null ? "the server is back" : `warning: the server is away: ${reason}`),
  }, take);
}

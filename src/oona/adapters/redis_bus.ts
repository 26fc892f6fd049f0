import type { Envelope } from "../../contracts/events.ts";
import { UserError } from "../../util/errors.ts";
import type { Bus } from "../bus.ts";
import { createMemoryBus } from "../memory.ts";
import { createOutbox, Refusal } from "../outbox.ts";
import { connectRedis, type RedisSecrets, shownUrl } from "./redis_connection.ts";
import { APPEND, CLAIM, keysOf, lineOf } from "./redis_stream.ts";

/** Where a run publishes. */
export interface RedisBusOptions {
  readonly url: string;
  /** Name of the stream; one process at a time publishes there. */
  readonly channel: string;
  /** Who publishes: another owner may not take the channel over, a later process of the same one may. */
  readonly owner: string;
  readonly secrets: RedisSecrets;
  readonly now?: () => number;
  /** Messages a topic that this process keeps for its own subscribers. */
  readonly history?: number;
  /** Telemetry that waits for a lost server. Default 4096. */
  readonly capacity?: number;
  /** Messages that the stream keeps, about. Default 100,000. */
  readonly kept?: number;
}

/** A stream goes this long after its last message. */
const KEPT_MS = 30 * 24 * 3600e3;
/** Waits for the server: at a drain, and at the end. */
const DRAIN_MS = 1000, CLOSE_MS = 2000;

/**
 * A bus whose messages also go to a Redis stream, for other processes to follow (`followRedis`). This process's own
 * subscribers are served at once and never wait for the server: where that is lost, telemetry waits in a bounded queue,
 * control messages in an unbounded one, in order; what the server has confirmed is as safe as the server makes it.
 *
 * @throws {UserError} where the server is absent or refuses, or the channel is another's
 */
export async function openRedisBus(options: RedisBusOptions): Promise<Bus> {
  const { url, channel, owner, kept = 100_000, capacity = 4096 } = options;
  const keys = keysOf(channel), shown = shownUrl(url);
  const { redis, reason, close } = await connectRedis(url, options.secrets);
  const [epoch, newest] = await (redis.eval(CLAIM, 1, keys.meta, owner) as Promise<[number, number]>)
    .catch(async (error: Error) => {
      await close();
      const other = /^OWNED (.*)$/.exec(error.message)?.[1];
      throw new UserError(
        other === undefined
          ? `oona: want to publish on ${shown}, got: ${error.message}; free its memory or its disk`
          : `oona: want "${channel}" on ${shown} for ${owner}, got that of ${other}; give the run another name`,
      );
    });
  const local = createMemoryBus(options.now, options.history, newest, (envelope) => outbox.push(envelope));
  const tell = (text: string) => void local.publish("notice", { level: "warning", text }).catch(() => {});

  async function send(batch: readonly Envelope[]): Promise<void> {
    const messages = batch.flatMap((envelope) => [`${envelope.id}`, lineOf(envelope)]);
    try {
      await redis.eval(APPEND, 2, keys.stream, keys.meta, owner, epoch, kept, KEPT_MS, ...messages);
    } catch (error) {
      const why = reason(error);
      if (why.startsWith("FENCED")) throw new Refusal(`another process publishes "${channel}" now`);
      // What a silent connection still holds is worth nothing; a new one may get through.
      if (why === "Command timed out") redis.disconnect(true);
      throw new Error(why);
    }
  }

  let droppedBefore = 0;
  const outbox = createOutbox({
    send,
    capacity,
    backoffMs: 50,
    maxBackoffMs: 1000,
    onAway(why) {
      const lost = outbox.dropped - droppedBefore;
      if (why === null) {
        droppedBefore = outbox.dropped;
        tell(`oona: ${shown} is back; ${lost} messages of telemetry were dropped meanwhile`);
      } else tell(`oona: ${shown} does not take messages, training goes on: ${why}`);
    },
  });
  redis.on("ready", outbox.retry);
  let left: Envelope[] = [];

  return {
    publish: local.publish,
    subscribe: local.subscribe,
    async drain() {
      await local.drain();
      await outbox.flushed(DRAIN_MS);
    },
    deadLetters() {
      const waiting = outbox.away === null ? left : outbox.waiting();
      const error = `${shown}: ${outbox.away ?? "closed before it had taken the message"}`;
      return [
        ...local.deadLetters(),
        ...waiting.map((envelope) => ({ envelope, subscription: "redis", attempts: 1, error })),
      ];
    },
    stats: local.stats,
    async close() {
      await local.close();
      await outbox.flushed(CLOSE_MS);
      await outbox.close();
      left = outbox.waiting();
      await close();
    },
  };
}

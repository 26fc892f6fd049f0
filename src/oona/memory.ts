import { type Envelope, type Topic, topics } from "../contracts/events.ts";
import type { Bus, DeadLetter, Handler, SubscribeOptions, SubscriptionStats } from "./bus.ts";
import { sleep, tryOnce, tryUntilAck } from "./delivery.ts";

const DEAD_LETTERS_KEPT = 1024;

/** A publication that waits for room in one subscription. */
interface Blocked {
  envelope: Envelope;
  resolve(): void;
  reject(error: Error): void;
}

interface Subscription {
  topic: Topic;
  handler: Handler<Topic>;
  options: Required<SubscribeOptions>;
  queue: Envelope[];
  blocked: Blocked[];
  /** Aborted by unsubscribe and close; ends waits for back-off and acks. */
  end: AbortController;
  /** The delivery loop runs. */
  pumping: boolean;
  /** A message has left the queue and is with the handler. */
  working: boolean;
  delivered: number;
  dropped: number;
  retried: number;
  dead: number;
}

/**
 * An in-process bus. Messages travel by reference: subscribers must not change them.
 *
 * @example
 * ```ts
 * import { createMemoryBus } from "./memory.ts";
 * const bus = createMemoryBus();
 * const heard: string[] = [];
 * bus.subscribe("notice", ({ payload }) => void heard.push(payload.text));
 * await bus.publish("notice", { level: "info", text: "hello" });
 * await bus.drain();
 * await bus.close();
 * if (heard[0] !== "hello") throw new Error();
 * ```
 */
export function createMemoryBus(now: () => number = Date.now): Bus {
  const subscriptions = new Set<Subscription>();
  const pumps = new Set<Promise<void>>();
  const letters: DeadLetter[] = [];
  let published = 0;
  let closed = false;

  function bury(s: Subscription, envelope: Envelope, attempts: number, error: unknown): void {
    s.dead++;
    letters.push({ envelope, subscription: s.options.name, attempts, error: messageOf(error) });
    if (letters.length > DEAD_LETTERS_KEPT) letters.shift();
  }

  async function deliver(s: Subscription, envelope: Envelope): Promise<void> {
    const { retries, backoffMs, maxBackoffMs } = s.options;
    const handOver = s.options.ack === "manual" ? tryUntilAck : tryOnce;
    for (let attempt = 1;; attempt++) {
      try {
        await handOver(s.handler, envelope, attempt, s.options.ackTimeoutMs, s.end.signal);
        s.delivered++;
        return;
      } catch (error) {
        if (s.end.signal.aborted && !closed) return;
        if (attempt > retries || closed) return bury(s, envelope, attempt, error);
        s.retried++;
        await sleep(Math.min(backoffMs * 2 ** (attempt - 1), maxBackoffMs), s.end.signal);
        if (s.end.signal.aborted) {
          if (closed) bury(s, envelope, attempt, error);
          return;
        }
      }
    }
  }

  async function pump(s: Subscription): Promise<void> {
    await null; // handlers never run inside publish
    while (s.queue.length > 0) {
      const envelope = s.queue.shift()!;
      const next = s.blocked.shift();
      if (next) {
        s.queue.push(next.envelope);
        next.resolve();
      }
      s.working = true;
      await deliver(s, envelope);
      s.working = false;
    }
    s.pumping = false;
  }

  function enqueue(s: Subscription, envelope: Envelope): Promise<void> | null {
    if (s.queue.length >= s.options.capacity) {
      if (topics[s.topic] === "control") {
        return new Promise((resolve, reject) => s.blocked.push({ envelope, resolve, reject }));
      }
      s.queue.shift();
      s.dropped++;
    }
    s.queue.push(envelope);
    if (!s.pumping) {
      s.pumping = true;
      const running = pump(s).then(() => void pumps.delete(running));
      pumps.add(running);
    }
    return null;
  }

  function end(s: Subscription): { left: Envelope[]; blocked: Blocked[] } {
    subscriptions.delete(s);
    s.end.abort();
    const blocked = s.blocked.splice(0);
    return { left: [...s.queue.splice(0), ...blocked.map((b) => b.envelope)], blocked };
  }

  return {
    publish(topic, payload) {
      if (closed) {
        return Promise.reject(new Error(`publish: want an open bus, got a closed one for "${topic}"`));
      }
      const envelope: Envelope = { id: ++published, time: now(), topic, payload };
      const waits = [...subscriptions].filter((s) => s.topic === topic)
        .map((s) => enqueue(s, envelope)).filter((wait) => wait !== null);
      const room = Promise.all(waits).then(() => {});
      // Closing the bus makes a dead letter of the message; a publisher who does not await must not crash as well.
      room.catch(() => {});
      return room;
    },

    subscribe(topic, handler, options = {}) {
      if (closed) throw new Error(`subscribe: want an open bus, got a closed one for "${topic}"`);
      const s: Subscription = {
        topic,
        handler: handler as unknown as Handler<Topic>,
        options: withDefaults(topic, options),
        queue: [],
        blocked: [],
        end: new AbortController(),
        pumping: false,
        working: false,
        delivered: 0,
        dropped: 0,
        retried: 0,
        dead: 0,
      };
      subscriptions.add(s);
      return () => end(s).blocked.forEach((b) => b.resolve());
    },

    async drain() {
      while (pumps.size > 0) await Promise.all(pumps);
    },

    deadLetters: () => [...letters],

    stats: () => [...subscriptions].map(statsOf),

    async close() {
      closed = true;
      for (const s of [...subscriptions]) {
        const { left, blocked } = end(s);
        for (const envelope of left) bury(s, envelope, 0, "the bus was closed before delivery");
        for (const b of blocked) {
          b.reject(new Error(`publish: want room in "${s.options.name}", got a bus closed while waiting`));
        }
      }
      await Promise.all(pumps);
    },
  };
}

function withDefaults(topic: Topic, options: SubscribeOptions): Required<SubscribeOptions> {
  const capacity = options.capacity ?? 4096;
  if (!(capacity >= 1)) throw new Error(`subscribe: want a capacity of at least 1, got ${capacity}`);
  return {
    name: topic,
    retries: 5,
    backoffMs: 10,
    maxBackoffMs: 1000,
    ack: "return",
    ackTimeoutMs: 60_000,
    ...options,
    capacity,
  };
}

function statsOf(s: Subscription): SubscriptionStats {
  const { topic, delivered, dropped, retried, dead } = s;
  const pending = s.queue.length + s.blocked.length + (s.working ? 1 : 0);
  return { subscription: s.options.name, topic, delivered, dropped, retried, dead, pending };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

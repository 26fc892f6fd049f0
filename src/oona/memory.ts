import { type Envelope, payloadFault, type Topic, topics } from "../contracts/events.ts";
import { suggestion } from "../util/nearest.ts";
import type { Bus, DeadLetter, Handler, SubscribeOptions, SubscriptionStats } from "./bus.ts";
import { sleep, tries } from "./delivery.ts";
import { createHistory } from "./history.ts";
import { Queue } from "./queue.ts";

const DEAD_LETTERS_KEPT = 1024;
/** Messages a topic kept for replay. */
const HISTORY_KEPT = 256;
/** Handlers that follow one another without a break have this long before timers and the device have their turn. */
const TURN_MS = 8;
const DONE = Promise.resolve();

type Options = Required<Omit<SubscribeOptions, "from">>;

/** A publication that waits for room in one subscription. */
interface Blocked {
  envelope: Envelope;
  resolve(): void;
  reject(error: Error): void;
}

interface Subscription {
  topic: Topic;
  handler: Handler<Topic>;
  options: Options;
  queue: Queue<Envelope>;
  blocked: Queue<Blocked>;
  /** Its places in the line of deliveries: at least one while it is idle and something waits. */
  places: number;
  /** Aborted by unsubscribe and close; ends waits for back-off and acks. */
  end: AbortController;
  /** A message has left the queue and is with the handler, or waits for its next try. */
  busy: boolean;
  delivered: number;
  dropped: number;
  retried: number;
  dead: number;
}

/**
 * An in-process bus. Messages travel by reference: nobody may change them once they are published. Handlers that
 * return at once get them in the order of publication across topics, too. `history` is the number of messages a topic
 * that are kept for replay; the first one has the sequence number after `newest`.
 * `copy` is handed every message as it is published.
 *
 * @example
 * ```ts
 * import { createMemoryBus } from "./memory.ts";
 * const bus = createMemoryBus();
 * const heard: string[] = [];
 * await bus.publish("notice", { level: "info", text: "hello" });
 * bus.subscribe("notice", ({ payload }) => void heard.push(payload.text), { from: 1 });
 * await bus.drain();
 * await bus.close();
 * if (heard[0] !== "hello") throw new Error();
 * ```
 */
export function createMemoryBus(
  now: () => number = Date.now,
  history: number = HISTORY_KEPT,
  newest = 0,
  copy: (envelope: Envelope) => void = () => {},
): Bus {
  const subscriptions = new Map<Topic, Set<Subscription>>();
  for (const topic of Object.keys(topics) as Topic[]) subscriptions.set(topic, new Set());
  const past = createHistory(history, newest);
  /** One place for a message to an idle subscription, in the order of publication. */
  const line = new Queue<Subscription>();
  const jobs = new Set<Promise<void>>();
  const letters = new Queue<DeadLetter>();
  let serving: Promise<void> | null = null;
  let published = newest;
  let closed = false;

  const all = () => [...subscriptions.values()].flatMap((some) => [...some]);

  function bury(s: Subscription, envelope: Envelope, attempts: number, error: unknown): void {
    s.dead++;
    letters.push({ envelope, subscription: s.options.name, attempts, error: messageOf(error) });
    if (letters.length > DEAD_LETTERS_KEPT) letters.shift();
  }

  /** One try. Resolves or rejects with it; undefined where it has succeeded at once. */
  function attemptOnce(s: Subscription, envelope: Envelope, attempt: number): void | Promise<void> {
    const { ack, ackTimeoutMs } = s.options;
    try {
      return tries[ack](s.handler, envelope, attempt, ackTimeoutMs, s.end.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Goes on with a message whose first try is not done yet. */
  async function persist(s: Subscription, envelope: Envelope, first: Promise<void>): Promise<void> {
    const { retries, backoffMs, maxBackoffMs } = s.options;
    let work: void | Promise<void> = first;
    for (let attempt = 1;; attempt++) {
      try {
        await work;
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
      work = attemptOnce(s, envelope, attempt + 1);
    }
  }

  function serveOne(s: Subscription): void {
    const envelope = s.queue.shift()!;
    const next = s.blocked.shift();
    if (next) {
      s.queue.push(next.envelope);
      next.resolve();
    }
    const work = attemptOnce(s, envelope, 1);
    if (work === undefined) {
      s.delivered++;
      return;
    }
    s.busy = true;
    const job = persist(s, envelope, work).then(() => {
      jobs.delete(job);
      s.busy = false;
      standInLine(s);
    });
    jobs.add(job);
  }

  async function serve(): Promise<void> {
    await null; // handlers never run inside publish
    let since = performance.now();
    for (let s = line.shift(); s !== undefined; s = line.shift()) {
      s.places--;
      if (s.busy || s.queue.length === 0) continue;
      serveOne(s);
      standInLine(s);
      if (performance.now() - since < TURN_MS) continue;
      await new Promise((resolve) => setTimeout(resolve));
      since = performance.now();
    }
    serving = null;
  }

  /** Gives an idle subscription a place in the line if it needs one. */
  function standInLine(s: Subscription, always = false): void {
    if (s.busy || s.queue.length === 0 || s.places > 0 && !always) return;
    s.places++;
    line.push(s);
    serving ??= serve();
  }

  function enqueue(s: Subscription, envelope: Envelope): Promise<void> | null {
    const full = s.queue.length >= s.options.capacity;
    if (full && topics[s.topic] === "control") {
      return new Promise((resolve, reject) => s.blocked.push({ envelope, resolve, reject }));
    }
    if (full) {
      s.queue.shift();
      s.dropped++;
    }
    s.queue.push(envelope);
    standInLine(s, !full);
    return null;
  }

  function end(s: Subscription): { left: Envelope[]; blocked: Blocked[] } {
    subscriptions.get(s.topic)!.delete(s);
    s.end.abort();
    const blocked = s.blocked.clear();
    return { left: [...s.queue.clear(), ...blocked.map((b) => b.envelope)], blocked };
  }

  function requireOpen(operation: string, topic: Topic): Set<Subscription> {
    const known = subscriptions.get(topic);
    if (known === undefined) {
      throw new Error(`${operation}: unknown topic "${topic}"${suggestion(topic, Object.keys(topics))}`);
    }
    if (!closed) return known;
    throw new Error(`${operation}: want an open bus, got a closed one for "${topic}"`);
  }

  return {
    publish(topic, payload) {
      try {
        const waits: Promise<void>[] = [];
        const audience = requireOpen("publish", topic);
        const fault = payloadFault(topic, payload);
        if (fault) throw new Error(`publish: want what "${topic}" carries, got trouble at ${fault}`);
        const envelope: Envelope = { id: ++published, time: now(), topic, payload };
        past.add(envelope);
        copy(envelope);
        for (const s of audience) {
          const wait = enqueue(s, envelope);
          if (wait !== null) waits.push(wait);
        }
        if (waits.length === 0) return DONE;
        const room = Promise.all(waits).then(() => {});
        // Closing the bus makes a dead letter of the message; a publisher who does not await must not crash as well.
        room.catch(() => {});
        return room;
      } catch (error) {
        return Promise.reject(error);
      }
    },

    subscribe(topic, handler, options = {}) {
      const others = requireOpen("subscribe", topic);
      const s: Subscription = {
        topic,
        handler: handler as unknown as Handler<Topic>,
        options: withDefaults(topic, options),
        queue: new Queue(),
        blocked: new Queue(),
        places: 0,
        end: new AbortController(),
        busy: false,
        delivered: 0,
        dropped: 0,
        retried: 0,
        dead: 0,
      };
      if (options.from !== undefined) {
        past.since(topic, options.from, published).forEach((envelope) => s.queue.push(envelope));
        standInLine(s);
      }
      others.add(s);
      return () => end(s).blocked.forEach((b) => b.resolve());
    },

    async drain() {
      while (serving !== null || jobs.size > 0) await Promise.all([serving, ...jobs]);
    },

    deadLetters: () => letters.items(),

    stats: () => all().map(statsOf),

    async close() {
      closed = true;
      for (const s of all()) {
        const { left, blocked } = end(s);
        for (const envelope of left) bury(s, envelope, 0, "the bus was closed before delivery");
        for (const b of blocked) {
          b.reject(new Error(`publish: want room in "${s.options.name}", got a bus closed while waiting`));
        }
      }
      await Promise.all([serving, ...jobs]);
    },
  };
}

function withDefaults(topic: Topic, options: SubscribeOptions): Options {
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
  const pending = s.queue.length + s.blocked.length + (s.busy ? 1 : 0);
  return { subscription: s.options.name, topic, delivered, dropped, retried, dead, pending };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

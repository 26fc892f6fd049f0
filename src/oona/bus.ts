import type { Envelope, Payloads, Topic } from "../contracts/events.ts";

/** One delivery of a message to one subscription. */
export interface Delivery {
  /** 1 for the first try. */
  attempt: number;
  /** Marks the message as done; only needed with `ack: "manual"`. A second call changes nothing. */
  ack(): void;
}

export type Handler<T extends Topic> = (envelope: Envelope<T>, delivery: Delivery) => void | Promise<void>;

export interface SubscribeOptions {
  /** Shown in dead letters and statistics. Default: the topic. */
  name?: string;
  /** Messages that may wait for this subscription, at least 1. Default 4096. */
  capacity?: number;
  /** Further tries after the first has failed. Default 5. */
  retries?: number;
  /** Wait before the first further try; doubles from try to try up to `maxBackoffMs`. Default 10 and 1000. */
  backoffMs?: number;
  maxBackoffMs?: number;
  /**
   * `return` (default): a handler that has returned, or whose promise has resolved, has done its work. `manual`: the
   * message is done when the handler has called `ack()`. A try that is not done after `ackTimeoutMs` (default 60,000)
   * has failed; its handler may still be at work when the next try begins.
   */
  ack?: "return" | "manual";
  ackTimeoutMs?: number;
  /**
   * Sequence number (`Envelope.id`) of the first message wanted: those from there on that were published before come
   * first, whatever the capacity, then the new ones, without a gap. `oldest`: everything that is still kept. Default:
   * new messages only.
   */
  from?: number | "oldest";
}

/** A message that a subscription could not process. */
export interface DeadLetter {
  envelope: Envelope;
  subscription: string;
  attempts: number;
  error: string;
}

export interface SubscriptionStats {
  subscription: string;
  topic: Topic;
  delivered: number;
  /** Telemetry lost because the queue was full. */
  dropped: number;
  retried: number;
  dead: number;
  /** Waiting now, the message in work included. */
  pending: number;
}

/**
 * Carries typed messages from publishers to subscribers, at least once, each subscription in the order of
 * publication. The newest messages of each topic are kept for those who subscribe later. A subscription that is slow or
 * fails holds up nobody but publishers of its own control topic, and those only once its queue is full.
 */
export interface Bus {
  /**
   * Resolves when every subscription has room for the message, which for telemetry topics is at once. The
   * message is in line when `publish` returns, so callers who do not await keep their order too.
   * A handler that awaits a publication to a topic whose queue it alone empties waits for itself.
   *
   * @throws after `close`, where there is no such topic, and where the topic does not carry such a payload
   */
  publish<T extends Topic>(topic: T, payload: Payloads[T]): Promise<void>;
  /**
   * Returns a function that ends the subscription; what waits for it is forgotten.
   *
   * @throws where there is no such topic, or messages from `from` on are no longer kept
   */
  subscribe<T extends Topic>(topic: T, handler: Handler<T>, options?: SubscribeOptions): () => void;
  /** Resolves when nothing waits and no handler runs. Not for use inside a handler. */
  drain(): Promise<void>;
  /** Newest last; the bus keeps the last 1024. */
  deadLetters(): DeadLetter[];
  stats(): SubscriptionStats[];
  /**
   * Stops deliveries, turns what still waits into dead letters, rejects publishers that wait, and resolves
   * when the handlers in work have ended. `drain` first to lose nothing.
   */
  close(): Promise<void>;
}

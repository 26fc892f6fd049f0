import type { Envelope, Topic } from "../contracts/events.ts";
import type { Delivery, Handler, SubscribeOptions } from "./bus.ts";

/** One try at handing a message over: undefined where it is done, else a promise that rejects if the try has failed. */
type Try = (
  handler: Handler<Topic>,
  envelope: Envelope,
  attempt: number,
  ackTimeoutMs: number,
  end: AbortSignal,
) => void | Promise<void>;

/** Most deliveries are this one. */
const FIRST: Delivery = Object.freeze({ attempt: 1, ack() {} });

/** The handler's return is the acknowledgement. Throws what it throws. */
const tryOnce: Try = (handler, envelope, attempt, ackTimeoutMs) => {
  const work = handler(envelope, attempt === 1 ? FIRST : { ...FIRST, attempt });
  // A handler may also return a number, which says nothing.
  if (typeof work?.then === "function") return withinTime(work, ackTimeoutMs);
};

/** Microtasks that a handler may take before a timer is set for it, which costs more than most handlers do. */
const UNTIMED_TURNS = 4;

async function withinTime(work: Promise<void>, timeoutMs: number): Promise<void> {
  let pending = true;
  const settled = () => void (pending = false);
  work.then(settled, settled);
  for (let turn = 0; pending && turn < UNTIMED_TURNS; turn++) await null;
  if (!pending) return work;
  const { promise, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => reject(new Error(`the handler did not end within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for `ack()`; the next message is not handed over before the handler has ended, too. */
const tryUntilAck: Try = async (handler, envelope, attempt, ackTimeoutMs, end) => {
  const { promise: acked, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error(`no ack within ${ackTimeoutMs} ms`)), ackTimeoutMs);
  const stop = () => reject(new Error("the bus was closed before the ack"));
  end.addEventListener("abort", stop);
  const work = (async () => await handler(envelope, { attempt, ack: resolve }))();
  work.catch(reject);
  try {
    await acked;
    await work.catch(() => {});
  } finally {
    clearTimeout(timer);
    end.removeEventListener("abort", stop);
  }
};

/** What `ack` in a subscription's options means. */
export const tries: Readonly<Record<NonNullable<SubscribeOptions["ack"]>, Try>> = {
  return: tryOnce,
  manual: tryUntilAck,
};

/** Resolves after `ms` milliseconds, or at once when `end` is aborted. */
export function sleep(ms: number, end: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const wake = () => resolve();
  end.addEventListener("abort", wake);
  return promise.finally(() => {
    clearTimeout(timer);
    end.removeEventListener("abort", wake);
  });
}

import type { Envelope, Topic } from "../contracts/events.ts";
import type { Handler } from "./bus.ts";

/** One try at handing a message over; rejects when it failed or `end` was aborted first. */
type Try = (
  handler: Handler<Topic>,
  envelope: Envelope,
  attempt: number,
  ackTimeoutMs: number,
  end: AbortSignal,
) => Promise<void>;

/** The handler's return is the acknowledgement. */
export const tryOnce: Try = async (handler, envelope, attempt) => {
  await handler(envelope, { attempt, ack() {} });
};

/** Waits for `ack()`; the next message is not handed over before the handler has ended, too. */
export const tryUntilAck: Try = async (handler, envelope, attempt, ackTimeoutMs, end) => {
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

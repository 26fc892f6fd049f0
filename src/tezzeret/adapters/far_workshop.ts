import { DeviceLostError, type Draft, type Workshop } from "../workshop.ts";
import type { Validation } from "../report.ts";
import { type FarOptions, received, type Reply, type Request } from "./protocol.ts";

/** What does the work where no other place can open the adapter a second time. */
export interface Instead {
  readonly instead: () => Workshop;
  /** What is told then, once. */
  readonly onInstead?: (reason: string) => void;
}

export interface FarWorkshopOptions extends FarOptions, Instead {
  /** How long an answer may take before the place is given up. Default 120 000. */
  readonly timeoutMs?: number;
}

/** What is heard from a far place. */
export interface Listener {
  reply(reply: Reply): void;
  /** It has ended, of itself. */
  crashed(reason: string): void;
}

/** A line to a place that works on requests. */
export interface Line {
  /** As in "the thread that compiles". */
  readonly place: string;
  send(request: Request): void;
  /** Ends the place, whatever it is at. */
  cut(): Promise<void>;
}

type Timer = ReturnType<typeof setTimeout>;

interface Asked {
  resolve(result: unknown): void;
  reject(error: Error): void;
  /** Called at each sign of life. */
  readonly beat: (() => void) | undefined;
  readonly timer: Timer;
}

interface Place {
  ask(request: AskedFor, beat?: () => void): Promise<unknown>;
  end(error: Error): Promise<void>;
}

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type AskedFor = Without<Request, "id">;

/**
 * A workshop in another place, with a device of its own on the same adapter: neither what the compiler computes nor what the
 * driver does at a kernel's first dispatch holds up a training step, and a kernel that takes its device with it leaves the
 * training's alone: the place opens another, and the order is tried there once more. It starts at once, so that it is ready
 * when it is needed. One that crashes or does not answer is given up, its orders fail, and the next order starts another.
 */
export function createFarWorkshop(
  { instead, onInstead, timeoutMs = 120_000, ...far }: FarWorkshopOptions,
  connect: (listener: Listener) => Line,
): Workshop {
  let place: Promise<Place | Workshop> | null = null;
  let close = () => Promise.resolve();
  let closed = false;

  /** A place with the adapter open, or what there is instead. */
  async function start(): Promise<Place | Workshop> {
    const started = startPlace(connect, timeoutMs, () => {
      place = null;
    });
    close = () => started.end(new Error("workshop: closed"));
    try {
      await started.ask({ kind: "open", options: far });
      return started;
    } catch (error) {
      await started.end(error as Error);
      if (closed) throw error;
      onInstead?.((error as Error).message);
      const other = instead();
      close = () => other.close();
      place = Promise.resolve(other);
      return other;
    }
  }

  async function open(): Promise<Place | Workshop> {
    if (closed) throw new Error("workshop: want an open workshop, got a closed one");
    place ??= start();
    return await place;
  }

  place = start();
  place.catch(() => {});
  return {
    async draft(order) {
      const at = await open();
      return await ("ask" in at ? at.ask({ kind: "draft", order }) as Promise<Draft> : at.draft(order));
    },
    async test(order, heartbeat) {
      const at = await open();
      if (!("ask" in at)) return await at.test(order, heartbeat);
      const beatMs = heartbeat && { beatMs: heartbeat.everyMs };
      const ask = () =>
        at.ask({ kind: "test", order, ...beatMs }, () => heartbeat?.beat()) as Promise<Validation>;
      try {
        return await ask();
      } catch (error) {
        // Another order's kernel may have taken the device; where it is this one's, the next is lost, too.
        if (error instanceof DeviceLostError) return await ask();
        throw error;
      }
    },
    async close() {
      closed = true;
      await close();
    },
  };
}

/** Starts a place; `onEnd` is called once it has been given up. */
function startPlace(connect: (listener: Listener) => Line, timeoutMs: number, onEnd: () => void): Place {
  const open = new Map<number, Asked>();
  let ids = 0;
  const line = connect({
    reply(reply) {
      const asked = open.get(reply.id);
      if (!asked) return;
      if ("beat" in reply) return asked.beat?.();
      open.delete(reply.id);
      clearTimeout(asked.timer);
      if ("error" in reply) asked.reject(received(reply.error));
      else asked.resolve(reply.result);
    },
    crashed(reason) {
      end(new Error(`workshop: the ${line.place} that compiles has crashed: ${reason}`));
    },
  });

  function end(error: Error): Promise<void> {
    for (const { reject, timer } of open.values()) {
      clearTimeout(timer);
      reject(error);
    }
    open.clear();
    onEnd();
    return line.cut();
  }

  return {
    end,
    ask: (request, beat) =>
      new Promise((resolve, reject) => {
        const id = ++ids;
        const late = () =>
          end(
            new Error(
              `workshop: want an answer within ${timeoutMs} ms, got none; the ${line.place} was given up`,
            ),
          );
        open.set(id, { resolve, reject, beat, timer: setTimeout(late, timeoutMs) });
        line.send({ ...request, id });
      }),
  };
}

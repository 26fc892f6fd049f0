import { DeviceLostError, type Draft, type Workshop } from "../workshop.ts";
import type { Validation } from "../report.ts";
import { type FarOptions, received, type Reply, type Request } from "./protocol.ts";

export interface WorkerOptions extends FarOptions {
  /** What does the work where no thread can open the adapter a second time. */
  readonly instead: () => Workshop;
  /** What is told then, once. */
  readonly onInstead?: (reason: string) => void;
  /** How long an answer may take before the thread is given up. Default 120 000. */
  readonly timeoutMs?: number;
  /** The thread's module, where it has another name than here (in a bundle). */
  readonly module?: URL;
}

type Timer = ReturnType<typeof setTimeout>;

interface Asked {
  resolve(result: unknown): void;
  reject(error: Error): void;
  /** Called at each sign of life. */
  readonly beat: (() => void) | undefined;
  readonly timer: Timer;
}

interface Thread {
  ask(request: AskedFor, beat?: () => void): Promise<unknown>;
  end(error: Error): void;
}

const THREAD = new URL("./workshop_thread.ts", import.meta.url);

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type AskedFor = Without<Request, "id">;

/**
 * A workshop on a thread of its own, with a device of its own on the same adapter: neither what the compiler computes nor
 * what the driver does at a kernel's first dispatch holds up a training step, and a kernel that takes its device with it
 * leaves the training's alone: its thread opens another, and the order is tried there once more. The thread starts at
 * once, so that it is ready when it is needed. One that crashes or does not answer is given up, its orders fail, and the
 * next order starts another.
 */
export function createWorkerWorkshop(options: WorkerOptions): Workshop {
  const { instead, onInstead, timeoutMs = 120_000, module = THREAD, ...far } = options;
  let thread: Promise<Thread | Workshop> | null = null;
  let ending: (() => void) | null = null;
  let closed = false;

  /** A thread with the adapter open, or what there is instead. */
  async function start(): Promise<Thread | Workshop> {
    const started = startThread(module, timeoutMs, () => {
      thread = null;
    });
    ending = () => started.end(new Error("workshop: closed"));
    try {
      await started.ask({ kind: "open", options: far });
      return started;
    } catch (error) {
      started.end(error as Error);
      if (closed) throw error;
      onInstead?.((error as Error).message);
      const local = instead();
      thread = Promise.resolve(local);
      return local;
    }
  }

  async function place(): Promise<Thread | Workshop> {
    if (closed) throw new Error("workshop: want an open workshop, got a closed one");
    thread ??= start();
    return await thread;
  }

  thread = start();
  thread.catch(() => {});
  return {
    async draft(order) {
      const at = await place();
      return await ("ask" in at ? at.ask({ kind: "draft", order }) as Promise<Draft> : at.draft(order));
    },
    async test(order, heartbeat) {
      const at = await place();
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
    close() {
      closed = true;
      ending?.();
    },
  };
}

/** Starts a thread; `onEnd` is called once it has been given up. */
function startThread(module: URL, timeoutMs: number, onEnd: () => void): Thread {
  const worker = new Worker(module, { type: "module" });
  const open = new Map<number, Asked>();
  let ids = 0;

  function end(error: Error): void {
    worker.terminate();
    for (const { reject, timer } of open.values()) {
      clearTimeout(timer);
      reject(error);
    }
    open.clear();
    onEnd();
  }

  worker.onmessage = ({ data }: MessageEvent<Reply>) => {
    const asked = open.get(data.id);
    if (!asked) return;
    if ("beat" in data) return asked.beat?.();
    open.delete(data.id);
    clearTimeout(asked.timer);
    if ("error" in data) asked.reject(received(data.error));
    else asked.resolve(data.result);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    end(new Error(`workshop: the thread that compiles has crashed: ${event.message}`));
  };

  return {
    end,
    ask: (request, beat) =>
      new Promise((resolve, reject) => {
        const id = ++ids;
        const late = () =>
          end(
            new Error(`workshop: want an answer within ${timeoutMs} ms, got none; the thread was given up`),
          );
        open.set(id, { resolve, reject, beat, timer: setTimeout(late, timeoutMs) });
        worker.postMessage({ ...request, id });
      }),
  };
}

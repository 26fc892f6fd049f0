import type { Workshop } from "../workshop.ts";
import { createFarWorkshop, type FarWorkshopOptions, type Line, type Listener } from "./far_workshop.ts";
import type { Reply } from "./protocol.ts";

export interface WorkerOptions extends FarWorkshopOptions {
  /** The thread's module, where it has another name than here (in a bundle). */
  readonly module?: URL;
}

const THREAD = new URL("./workshop_thread.ts", import.meta.url);

/** A workshop on a thread of this process. */
export function createWorkerWorkshop({ module = THREAD, ...options }: WorkerOptions): Workshop {
  return createFarWorkshop(options, (listener) => startThread(module, listener));
}

function startThread(module: URL, { reply, crashed }: Listener): Line {
  const worker = new Worker(module, { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<Reply>) => reply(data);
  worker.onerror = (event) => {
    event.preventDefault();
    crashed(event.message);
  };
  return {
    place: "thread",
    send: (request) => worker.postMessage(request),
    cut() {
      worker.terminate();
      return Promise.resolve();
    },
  };
}

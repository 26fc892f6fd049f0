/** The worker: training off the page's thread. */
import { openDevice } from "../engine/gpu/device.ts";
import { GpuError } from "../engine/gpu/errors.ts";
import type { Command, Message } from "./protocol.ts";
import { createTraining } from "./training.ts";

/** What a worker has as its global object. */
const scope = globalThis as unknown as {
  postMessage(message: Message): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Command>) => void): void;
};

const command = createTraining({
  post: (message) => scope.postMessage(message),
  openGpu() {
    if (!navigator.gpu) throw new GpuError("this browser has no WebGPU");
    return openDevice(navigator.gpu, "browser");
  },
  async load(name) {
    const response = await fetch(new URL(name, import.meta.url));
    if (!response.ok) {
      throw new Error(`${name}: want the file beside the page, got ${response.status}; build the page again`);
    }
    return new Uint8Array(await response.arrayBuffer());
  },
});

scope.addEventListener("message", ({ data }) => command(data));

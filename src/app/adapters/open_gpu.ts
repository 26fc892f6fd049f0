import { type BackendName, type Gpu, openDevice } from "../../engine/gpu/device.ts";
import { GpuError } from "../../engine/gpu/errors.ts";
import type { BackendChoice } from "../options.ts";

export type { BackendChoice } from "../options.ts";

/** Ways to a device in this runtime. Dawn is loaded only when asked for. */
const open: Record<Exclude<BackendName, "browser">, (unsafe: boolean) => Promise<Gpu>> = {
  async native() {
    if (!navigator.gpu) throw new GpuError("WebGPU (native): this Deno has none; want Deno 2.9 or later");
    // Where no Vulkan driver is found, Deno falls back to OpenGL without a word; saying so ourselves is better.
    if (Deno.build.os === "linux" && !Deno.env.get("DENO_WEBGPU_BACKEND")) {
      Deno.env.set("DENO_WEBGPU_BACKEND", "vulkan");
    }
    return await openDevice(navigator.gpu, "native");
  },
  async dawn(unsafe) {
    const { createDawn } = await import("../../engine/gpu/adapters/dawn.ts");
    return await openDevice(await createDawn({ unsafe }), "dawn");
  },
};

/**
 * Opens the device to train on. `auto` takes Dawn on a hardware adapter where its package is there, else Deno's own
 * WebGPU: on software adapters Dawn is slower, and it refuses Mesa's. `unsafe` takes out the checks that keep a faulty
 * kernel within its buffers; Deno's own WebGPU has no such switch.
 *
 * @throws {GpuError} if there is no adapter.
 */
export async function openGpu(choice: BackendChoice, unsafe = false): Promise<Gpu> {
  if (choice !== "auto") return await open[choice](unsafe);
  const native = await open.native(unsafe);
  if (native.adapter.software) return native;
  const dawn = await open.dawn(unsafe).catch(() => null);
  if (!dawn || dawn.adapter.software) {
    dawn?.destroy();
    return native;
  }
  native.destroy();
  return dawn;
}

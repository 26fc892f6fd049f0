import { openGpu } from "../../src/app/adapters/open_gpu.ts";
import { type Gpu, openDevice } from "../../src/engine/gpu/device.ts";
import type { CommonOptions } from "./options.ts";

/** The device that the options name. Without bounds checks there is Dawn only. */
export async function openForBench({ backend, unsafe }: CommonOptions): Promise<Gpu> {
  if (!unsafe) return await openGpu(backend);
  if (backend === "native") throw new TypeError("--unsafe-gpu: want --backend dawn, got native");
  const { createDawn } = await import("../../src/engine/gpu/adapters/dawn.ts");
  return await openDevice(await createDawn({ unsafe }), "dawn");
}

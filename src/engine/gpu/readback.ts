import type { BufferView } from "./allocator.ts";
import type { Gpu } from "./device.ts";

/** Copies a range of the device's memory to the host. Waits for all work submitted before. */
export async function read(gpu: Gpu, view: BufferView, bytes = view.size): Promise<ArrayBuffer> {
  const size = Math.ceil(bytes / 4) * 4;
  const staging = gpu.allocator.staging("readback", size);
  const encoder = gpu.device.createCommandEncoder();
  encoder.copyBufferToBuffer(view.buffer, view.offset, staging.buffer, 0, size);
  gpu.device.queue.submit([encoder.finish()]);
  try {
    await staging.buffer.mapAsync(GPUMapMode.READ, 0, size);
    gpu.check();
    return staging.buffer.getMappedRange(0, size).slice(0, bytes);
  } finally {
    gpu.allocator.free(staging);
  }
}

export async function readFloats(
  gpu: Gpu,
  view: BufferView,
  count: number,
): Promise<Float32Array<ArrayBuffer>> {
  return new Float32Array(await read(gpu, view, count * 4));
}

/** Waits until the device has done all submitted work. */
export async function settled(gpu: Gpu): Promise<void> {
  await gpu.device.queue.onSubmittedWorkDone();
  gpu.check();
}

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

/**
 * Copies the first `count` f32 numbers of a view to the host. Waits for all work submitted before.
 *
 * @throws {GpuError} if the device reported an error.
 */
export async function readFloats(
  gpu: Gpu,
  view: BufferView,
  count: number,
): Promise<Float32Array<ArrayBuffer>> {
  return new Float32Array(await read(gpu, view, count * 4));
}

/** Reads of one size through staging buffers that are made once and take turns, so that several may be on their way. */
export class ReadbackRing {
  readonly #gpu: Gpu;
  readonly #idle: BufferView[];
  readonly #all: readonly BufferView[];

  constructor(gpu: Gpu, bytes: number, depth = 3) {
    this.#gpu = gpu;
    this.#all = Array.from({ length: depth }, (_, k) => gpu.allocator.staging(`readback ${k}`, bytes));
    this.#idle = [...this.#all];
  }

  /**
   * A copy of `view` as all work submitted before leaves it; the copy is queued before this returns.
   *
   * @throws {Error} if every staging buffer is on its way.
   */
  async read(view: BufferView): Promise<ArrayBuffer> {
    const staging = this.#idle.pop();
    if (!staging) {
      throw new Error(`readback: want at most ${this.#all.length} reads at once; await one first`);
    }
    const encoder = this.#gpu.device.createCommandEncoder();
    encoder.copyBufferToBuffer(view.buffer, view.offset, staging.buffer, 0, view.size);
    this.#gpu.device.queue.submit([encoder.finish()]);
    try {
      await staging.buffer.mapAsync(GPUMapMode.READ, 0, view.size);
      this.#gpu.check();
      const bytes = staging.buffer.getMappedRange(0, view.size).slice(0);
      staging.buffer.unmap();
      return bytes;
    } finally {
      this.#idle.push(staging);
    }
  }

  destroy(): void {
    for (const staging of this.#all) this.#gpu.allocator.free(staging);
  }
}

/** Waits until the device has done all submitted work. */
export async function settled(gpu: Gpu): Promise<void> {
  await gpu.device.queue.onSubmittedWorkDone();
  gpu.check();
}

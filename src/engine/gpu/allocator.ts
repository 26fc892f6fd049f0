import { GpuError } from "./errors.ts";

/** A range of a buffer, as bindings and copies take it. Offsets are multiples of 256 bytes. */
export interface BufferView {
  /** The whole buffer. */
  readonly buffer: GPUBuffer;
  /** First byte. */
  readonly offset: number;
  /** Bytes, a multiple of 16. */
  readonly size: number;
  /** How f32 numbers lie there, where not as they are. */
  readonly stored?: "f16";
}

/** Offset alignment of bindings, in bytes: WebGPU's default limit. */
const VIEW_ALIGNMENT = 256;

export function alignUp(bytes: number, alignment = VIEW_ALIGNMENT): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/** Creates, labels, counts and destroys every buffer of a device. */
export class Allocator {
  #live = new Map<GPUBuffer, number>();
  #liveBytes = 0;
  #peakBytes = 0;
  #device: GPUDevice;

  /** Keeps account of one device's buffers. */
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Bytes now allocated. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** Most bytes ever allocated at once. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** A storage buffer that can be copied to and from, zeroed. */
  storage(label: string, bytes: number): BufferView {
    return this.#create(
      label,
      bytes,
      GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    );
  }

  /** A buffer that the host can map for reading. */
  staging(label: string, bytes: number): BufferView {
    return this.#create(label, bytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  }

  /** A buffer that timestamps are written to. */
  queries(label: string, bytes: number): BufferView {
    return this.#create(label, bytes, GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
  }

  /** A storage buffer holding `data`. */
  upload(label: string, data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): BufferView {
    const view = this.storage(label, data.byteLength);
    this.#device.queue.writeBuffer(view.buffer, 0, data);
    return view;
  }

  /** Destroys the buffer of a view; nothing happens where that is done already. */
  free(view: BufferView): void {
    const size = this.#live.get(view.buffer);
    if (size === undefined) return;
    this.#live.delete(view.buffer);
    this.#liveBytes -= size;
    view.buffer.destroy();
  }

  /** Destroys every buffer that it made. */
  freeAll(): void {
    for (const buffer of this.#live.keys()) buffer.destroy();
    this.#live.clear();
    this.#liveBytes = 0;
  }

  #create(label: string, bytes: number, usage: number): BufferView {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#device.limits;
    const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (size > limit) {
      throw new GpuError(
        `buffer "${label}": want ${size} bytes, the device allows ${limit}; use a smaller batch, model or data set`,
      );
    }
    const buffer = this.#device.createBuffer({ label, size, usage });
    this.#live.set(buffer, size);
    this.#liveBytes += size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return { buffer, offset: 0, size };
  }
}

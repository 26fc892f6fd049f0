import { BLOCK } from "../../../kernels/optim.ts";
import type { BufferView } from "../gpu/allocator.ts";
import type { Gpu } from "../gpu/device.ts";
import { readFloats } from "../gpu/readback.ts";
import type { ParameterStore, StoreLayout, StoreNumbers } from "./parameter_store.ts";

/** A copy of a store's parameters and moments that stays on the device. */
export class StoreSnapshot {
  readonly #gpu: Gpu;
  readonly #store: ParameterStore;
  readonly #copies: readonly BufferView[];
  #layout: StoreLayout | null = null;

  constructor(gpu: Gpu, store: ParameterStore) {
    this.#gpu = gpu;
    this.#store = store;
    this.#copies = store.buffers.map((_, k) =>
      gpu.allocator.storage(`snapshot ${k}`, store.blocks * BLOCK * 4)
    );
  }

  /** Copies the store as it is now. */
  take(): void {
    this.#layout = this.#store.layout;
    this.#copy(this.#store.buffers, this.#copies);
  }

  /** Puts the copy back into the store. @throws {Error} if none was taken. */
  revert(): void {
    if (!this.#layout) throw new Error("snapshot: want one taken before, got none");
    this.#copy(this.#copies, this.#store.buffers);
    this.#store.adopt(this.#layout);
  }

  /** Reads the copy to the host. */
  async read(): Promise<{ layout: StoreLayout; numbers: StoreNumbers }> {
    if (!this.#layout) throw new Error("snapshot: want one taken before, got none");
    const numbers: Float32Array<ArrayBuffer>[] = [];
    for (const view of this.#copies) {
      numbers.push(await readFloats(this.#gpu, view, this.#store.blocks * BLOCK));
    }
    return { layout: this.#layout, numbers };
  }

  destroy(): void {
    for (const view of this.#copies) this.#gpu.allocator.free(view);
  }

  #copy(from: readonly BufferView[], to: readonly BufferView[]): void {
    const encoder = this.#gpu.device.createCommandEncoder();
    for (const [k, { buffer, size }] of from.entries()) {
      encoder.copyBufferToBuffer(buffer, 0, to[k].buffer, 0, size);
    }
    this.#gpu.device.queue.submit([encoder.finish()]);
  }
}

import { sizeOf } from "../../util/shape.ts";
import { alignUp, type BufferView } from "../gpu/allocator.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Tensor } from "../graph/tensor.ts";

export type StepValues = Readonly<Record<string, number | ArrayLike<number>>>;

/** The small values of a program that are new each step, in one buffer written at once. */
export class StepBuffer {
  #gpu: Gpu;
  #whole: BufferView;
  #host: ArrayBuffer;
  #fields = new Map<string, { offset: number; length: number; array: Float32Array | Uint32Array }>();

  constructor(gpu: Gpu, label: string, sources: readonly Tensor[]) {
    this.#gpu = gpu;
    let offset = 0;
    const places = sources.map((tensor) => {
      const at = offset;
      offset = alignUp(offset + sizeOf(tensor.shape) * 4);
      return at;
    });
    this.#host = new ArrayBuffer(Math.max(offset, 16));
    this.#whole = gpu.allocator.storage(`${label}/step`, this.#host.byteLength);
    for (const [k, tensor] of sources.entries()) {
      const length = sizeOf(tensor.shape);
      const array = tensor.dtype === "u32"
        ? new Uint32Array(this.#host, places[k], length)
        : new Float32Array(this.#host, places[k], length);
      this.#fields.set(tensor.source!.name, { offset: places[k], length, array });
    }
  }

  get bytes(): number {
    return this.#whole.size;
  }

  get names(): string[] {
    return [...this.#fields.keys()];
  }

  view(name: string): BufferView {
    const field = this.#fields.get(name)!;
    return { buffer: this.#whole.buffer, offset: field.offset, size: alignUp(field.length * 4, 16) };
  }

  /**
   * Writes the values of the next step. All fields must be given; names that the program does not use are ignored, so that
   * one set of values serves several programs.
   */
  write(values: StepValues): void {
    if (this.#fields.size === 0) return;
    for (const [name, { array, length }] of this.#fields) {
      const value = values[name];
      if (typeof value === "number" && length === 1) array[0] = value;
      else if (typeof value === "object" && value.length === length) array.set(value);
      else {
        const got = value === undefined ? "none" : typeof value === "number" ? 1 : value.length;
        throw new Error(`step value "${name}": want ${length} numbers, got ${got}`);
      }
    }
    this.#gpu.device.queue.writeBuffer(this.#whole.buffer, 0, this.#host);
  }

  destroy(): void {
    this.#gpu.allocator.free(this.#whole);
  }
}

import { sameShape, sizeOf } from "../../util/shape.ts";
import { alignUp, type BufferView } from "../gpu/allocator.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Tensor } from "../graph/tensor.ts";

/** A number for a scalar, or all numbers of a tensor, row-major, by the name of the step input. */
export type StepValues = Readonly<Record<string, number | ArrayLike<number>>>;

/** The small values of a program that are new each step, in one buffer written at once. */
export class StepBuffer {
  #gpu: Gpu;
  #whole: BufferView;
  #host: ArrayBuffer;
  #written = false;
  #fields = new Map<string, { offset: number; length: number; array: Float32Array | Uint32Array }>();

  /**
   * Makes room for the values of `sources`, one for all of one name.
   *
   * @throws {TypeError} if two sources of one name differ in shape or dtype.
   */
  constructor(gpu: Gpu, label: string, sources: readonly Tensor[]) {
    this.#gpu = gpu;
    const distinct = distinctSources(sources);
    let offset = 0;
    const places = distinct.map((tensor) => {
      const at = offset;
      offset = alignUp(offset + sizeOf(tensor.shape) * 4);
      return at;
    });
    this.#host = new ArrayBuffer(Math.max(offset, 16));
    this.#whole = gpu.allocator.storage(`${label}/step`, this.#host.byteLength);
    for (const [k, tensor] of distinct.entries()) {
      const length = sizeOf(tensor.shape);
      const array = tensor.dtype === "u32"
        ? new Uint32Array(this.#host, places[k], length)
        : new Float32Array(this.#host, places[k], length);
      this.#fields.set(tensor.source!.name, { offset: places[k], length, array });
    }
  }

  /** Size of the buffer, in bytes. */
  get bytes(): number {
    return this.#whole.size;
  }

  /** What kernels read the values from. */
  get buffer(): GPUBuffer {
    return this.#whole.buffer;
  }

  /** Whether it holds the values of a step. */
  get written(): boolean {
    return this.#written;
  }

  /** Names of the step inputs. */
  get names(): string[] {
    return [...this.#fields.keys()];
  }

  /** Where a step input lies. The name must be one of `names`. */
  view(name: string): BufferView {
    const field = this.#fields.get(name)!;
    return { buffer: this.#whole.buffer, offset: field.offset, size: alignUp(field.length * 4, 16) };
  }

  /**
   * Writes the values of the next step. All fields must be given; names that the program does not use are ignored, so that
   * one set of values serves several programs.
   */
  write(values: StepValues): void {
    const bytes = this.encode(values);
    if (this.#fields.size > 0) this.#gpu.device.queue.writeBuffer(this.#whole.buffer, 0, bytes);
  }

  /** The bytes of the next step's values, for a caller that brings them to `buffer`. The next call overwrites them. */
  encode(values: StepValues): Uint8Array<ArrayBuffer> {
    this.#written = true;
    for (const [name, { array, length }] of this.#fields) {
      const value = values[name];
      if (typeof value === "number" && length === 1) array[0] = value;
      else if (typeof value === "object" && value.length === length) array.set(value);
      else {
        const got = value === undefined ? "none" : typeof value === "number" ? 1 : value.length;
        throw new Error(`step value "${name}": want ${length} numbers, got ${got}`);
      }
    }
    return new Uint8Array(this.#host);
  }

  /** Frees the buffer. */
  destroy(): void {
    this.#gpu.allocator.free(this.#whole);
  }
}

/** One tensor a name: graphs traced apart may each have their own. */
function distinctSources(sources: readonly Tensor[]): Tensor[] {
  const byName = new Map<string, Tensor>();
  for (const tensor of sources) {
    const { name } = tensor.source!;
    const known = byName.get(name) ?? tensor;
    if (known.dtype !== tensor.dtype || !sameShape(known.shape, tensor.shape)) {
      throw new TypeError(`step value "${name}": declared as ${known} and as ${tensor}`);
    }
    byName.set(name, known);
  }
  return [...byName.values()];
}

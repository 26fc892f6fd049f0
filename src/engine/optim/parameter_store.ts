import { BLOCK } from "../../../kernels/optim.ts";
import { formatShape, sizeOf } from "../../util/shape.ts";
import { alignUp, type BufferView } from "../gpu/allocator.ts";
import type { Gpu } from "../gpu/device.ts";
import { readFloats } from "../gpu/readback.ts";
import type { ParameterSpec } from "../nn/scope.ts";

/** Most sets of parameters that are optimised and measured alike. */
export const MAX_GROUPS = 32;

const FREE = 0xffffffff;
const DECAY = 0x10000;
const BLOCK_BYTES = BLOCK * 4;

/** Where a parameter lies in the flat buffers, in blocks of 64 numbers. */
interface Place {
  readonly spec: Pick<ParameterSpec, "name" | "shape" | "decay">;
  readonly block: number;
  readonly blocks: number;
  group: string;
}

/** A parameter store without its numbers, as checkpoints keep it. */
export interface StoreLayout {
  /** Names by index; null where an index is free. */
  readonly groups: readonly (string | null)[];
  /** Where each parameter lies; `block` counts in blocks of 64 numbers. */
  readonly places: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly decay: boolean;
    readonly group: string;
    readonly block: number;
  }[];
}

/** All numbers of a store, as `buffers` has them. */
export type StoreNumbers = readonly Float32Array<ArrayBuffer>[];

/**
 * Parameters, gradients and moments in one flat buffer each. A parameter is a range of whole blocks; adding or removing
 * one leaves the numbers of all others as they are.
 */
export class ParameterStore {
  /** Blocks of 64 numbers in each flat buffer. */
  readonly blocks: number;
  /** The parameters. */
  readonly values: BufferView;
  /** Their gradients. */
  readonly gradients: BufferView;
  /** What the update rule keeps of each parameter. */
  readonly moments: readonly BufferView[];
  /** Parameters that follow the others slowly; null where nothing asks for them. */
  readonly slow: BufferView | null;
  /** Group of each block, as the optimiser's kernels read it. */
  readonly blockTable: BufferView;
  readonly #gpu: Gpu;
  readonly #table: Uint32Array<ArrayBuffer>;
  #places = new Map<string, Place>();
  #groups: (string | null)[] = [];

  /**
   * An empty store.
   *
   * @param capacity Most numbers ever held at once, each parameter rounded up to a multiple of 64.
   * @param moments Numbers kept of each parameter beside it, as `momentsOf` says.
   * @param slow Whether slow parameters are kept, which start where the others do.
   */
  constructor(gpu: Gpu, capacity: number, moments: number, slow = false) {
    this.#gpu = gpu;
    this.blocks = Math.ceil(capacity / BLOCK);
    const bytes = this.blocks * BLOCK_BYTES;
    this.values = gpu.allocator.storage("parameters", bytes);
    this.gradients = gpu.allocator.storage("gradients", bytes);
    this.moments = Array.from({ length: moments }, (_, k) => gpu.allocator.storage(`moment ${k + 1}`, bytes));
    this.slow = slow ? gpu.allocator.storage("slow parameters", bytes) : null;
    this.#table = new Uint32Array(this.blocks).fill(FREE);
    this.blockTable = gpu.allocator.upload("parameter blocks", this.#table);
  }

  /** Numbers that a set of parameters takes up, rounding included. */
  static sizeOf(specs: readonly Pick<ParameterSpec, "shape">[]): number {
    return specs.reduce((total, { shape }) => total + Math.ceil(sizeOf(shape) / BLOCK) * BLOCK, 0);
  }

  /** Where the numbers of a layout's place begin and end in each of `StoreNumbers`. */
  static rangeOf({ shape, block }: Pick<StoreLayout["places"][number], "shape" | "block">): [number, number] {
    return [block * BLOCK, block * BLOCK + sizeOf(shape)];
  }

  /** Names of groups by index; null where an index is free. */
  get groups(): readonly (string | null)[] {
    return this.#groups;
  }

  /** All that is saved: parameters, each moment, and slow parameters where they are kept. */
  get buffers(): readonly BufferView[] {
    return [this.values, ...this.moments, ...this.slow ? [this.slow] : []];
  }

  /** Numbers in each of the flat buffers. */
  get count(): number {
    return this.blocks * BLOCK;
  }

  /** Names of all parameters, in order of addition. */
  get names(): string[] {
    return [...this.#places.keys()];
  }

  /**
   * Adds parameters with their first values and zero moments to a group: all of them, or none if one cannot be added.
   *
   * @throws {RangeError} if there is no room, or values of another size than the shape.
   */
  add(
    parameters: readonly { readonly spec: ParameterSpec; readonly values: Float32Array<ArrayBuffer> }[],
    group: string,
  ): void {
    const added: string[] = [];
    try {
      for (const { spec, values } of parameters) {
        this.#add(spec, values, group);
        added.push(spec.name);
      }
    } catch (error) {
      this.remove(added);
      throw error;
    }
    this.#upload();
  }

  /** Returns the room of parameters. */
  remove(names: readonly string[]): void {
    for (const { spec, block, blocks } of names.map((name) => this.#placeOf(name))) {
      this.#table.fill(FREE, block, block + blocks);
      this.#places.delete(spec.name);
    }
    this.#forgetEmptyGroups();
    this.#upload();
  }

  /** Moves parameters to another group; their values and moments stay. */
  regroup(names: readonly string[], group: string): void {
    for (const place of names.map((name) => this.#placeOf(name))) this.#place({ ...place, group });
    this.#forgetEmptyGroups();
    this.#upload();
  }

  /** Names of a group's parameters. */
  inGroup(group: string): string[] {
    return this.names.filter((name) => this.#places.get(name)!.group === group);
  }

  /** How many numbers a group's parameters are. */
  countIn(group: string): number {
    return this.inGroup(group).reduce((sum, name) => sum + sizeOf(this.#placeOf(name).spec.shape), 0);
  }

  /**
   * Where a parameter lies.
   *
   * @throws {Error} if the store does not hold it; so do `gradientView`, `set`, `get`, `remove` and `regroup`.
   */
  view(name: string): BufferView {
    return this.#range(this.values, name);
  }

  /** Where the gradient of a parameter lies. */
  gradientView(name: string): BufferView {
    return this.#range(this.gradients, name);
  }

  /**
   * Overwrites one parameter.
   *
   * @throws {RangeError} if there are more or fewer values than it has.
   */
  set(name: string, values: Float32Array<ArrayBuffer>): void {
    checkSize(this.#placeOf(name).spec, values);
    this.#gpu.device.queue.writeBuffer(this.values.buffer, this.view(name).offset, values);
  }

  /** One parameter's numbers. */
  async get(name: string): Promise<Float32Array<ArrayBuffer>> {
    return await readFloats(this.#gpu, this.view(name), sizeOf(this.#placeOf(name).spec.shape));
  }

  /** Where everything lies, for `restore` and `adopt`. */
  get layout(): StoreLayout {
    return {
      groups: [...this.#groups],
      places: [...this.#places.values()].map(({ spec, block, group }) => ({
        name: spec.name,
        shape: spec.shape,
        decay: spec.decay,
        group,
        block,
      })),
    };
  }

  /** Reads what is saved to the host. */
  async read(): Promise<StoreNumbers> {
    const numbers: Float32Array<ArrayBuffer>[] = [];
    for (const buffer of this.buffers) {
      numbers.push(await readFloats(this.#gpu, buffer, this.count));
    }
    return numbers;
  }

  /** Puts back what `layout` and `read` gave. */
  restore(layout: StoreLayout, numbers: StoreNumbers): void {
    const want = this.count;
    const { buffers } = this;
    for (const k of buffers.keys()) {
      if (numbers[k]?.length !== want) {
        throw new RangeError(
          `parameter store: want ${want} numbers, got ${numbers[k]?.length ?? "none"}; same config?`,
        );
      }
    }
    for (const [k, buffer] of buffers.entries()) this.#write(buffer, 0, numbers[k]);
    this.adopt(layout);
  }

  /** Takes over a layout for numbers that are already in place. */
  adopt(layout: StoreLayout): void {
    this.#table.fill(FREE);
    this.#places.clear();
    this.#groups = [...layout.groups];
    for (const { name, shape, decay, group, block } of layout.places) {
      this.#place({ spec: { name, shape, decay }, block, blocks: Math.ceil(sizeOf(shape) / BLOCK), group });
    }
    this.#upload();
  }

  /** Frees all buffers. */
  destroy(): void {
    for (const view of [...this.buffers, this.gradients, this.blockTable]) {
      this.#gpu.allocator.free(view);
    }
  }

  #add(spec: ParameterSpec, values: Float32Array<ArrayBuffer>, group: string): void {
    if (this.#places.has(spec.name)) throw new Error(`parameter "${spec.name}" is already in the store`);
    checkSize(spec, values);
    const blocks = Math.ceil(values.length / BLOCK);
    const block = this.#findFree(blocks);
    if (block === -1) {
      throw new RangeError(
        `parameter "${spec.name}": want ${blocks} free blocks of 64 numbers, got none in a row`,
      );
    }
    this.#place({ spec, block, blocks, group });
    const padded = new Float32Array(blocks * BLOCK);
    for (const buffer of [this.gradients, ...this.moments]) this.#write(buffer, block, padded);
    padded.set(values);
    for (const buffer of this.slow ? [this.values, this.slow] : [this.values]) {
      this.#write(buffer, block, padded);
    }
  }

  #placeOf(name: string): Place {
    const place = this.#places.get(name);
    if (!place) throw new Error(`parameter "${name}" is not in the store; it holds ${this.names.join(", ")}`);
    return place;
  }

  #place(place: Place): void {
    const entry = this.#groupIndex(place.group) + (place.spec.decay ? DECAY : 0);
    this.#table.fill(entry, place.block, place.block + place.blocks);
    this.#places.set(place.spec.name, place);
  }

  #groupIndex(group: string): number {
    let index = this.#groups.indexOf(group);
    if (index !== -1) return index;
    index = this.#groups.indexOf(null);
    if (index === -1) index = this.#groups.length;
    if (index === MAX_GROUPS) {
      throw new RangeError(`parameter store: want at most ${MAX_GROUPS} groups, got one more, "${group}"`);
    }
    this.#groups[index] = group;
    return index;
  }

  #forgetEmptyGroups(): void {
    const used = new Set([...this.#places.values()].map((place) => place.group));
    this.#groups = this.#groups.map((group) => group !== null && used.has(group) ? group : null);
  }

  #findFree(blocks: number): number {
    for (let first = 0, block = 0; block < this.blocks; block++) {
      if (this.#table[block] !== FREE) first = block + 1;
      else if (block - first + 1 === blocks) return first;
    }
    return -1;
  }

  #range(buffer: BufferView, name: string): BufferView {
    const { spec, block } = this.#placeOf(name);
    return { buffer: buffer.buffer, offset: block * BLOCK_BYTES, size: alignUp(sizeOf(spec.shape) * 4, 16) };
  }

  #write(buffer: BufferView, block: number, numbers: Float32Array<ArrayBuffer>): void {
    this.#gpu.device.queue.writeBuffer(buffer.buffer, block * BLOCK_BYTES, numbers);
  }

  #upload(): void {
    this.#gpu.device.queue.writeBuffer(this.blockTable.buffer, 0, this.#table);
  }
}

function checkSize({ name, shape }: Place["spec"], values: Float32Array): void {
  if (values.length === sizeOf(shape)) return;
  throw new RangeError(
    `parameter "${name}": want ${sizeOf(shape)} values for ${formatShape(shape)}, got ${values.length}`,
  );
}

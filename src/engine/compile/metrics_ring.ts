import { lowerAppend } from "../../../kernels/metrics.ts";
import type { BufferView } from "../gpu/allocator.ts";
import type { Gpu } from "../gpu/device.ts";
import { ReadbackRing } from "../gpu/readback.ts";
import { bind, type BoundDispatch } from "../gpu/recorder.ts";
import { stepInput, type Tensor } from "../graph/tensor.ts";

const SLOT = "metrics row";

/**
 * Numbers that steps leave on the device, a row each, until the host reads many at once. Rows are numbered without end;
 * the ring holds the newest.
 */
export class MetricsRing {
  /** The row that a step writes: one of the step values of each program that appends. */
  readonly stepInput: Tensor = stepInput(SLOT, [1], "u32");
  readonly #gpu: Gpu;
  readonly #ring: BufferView;
  readonly #readback: ReadbackRing;
  readonly #values: number;
  readonly #norms: number;
  readonly #rows: number;
  #written = 0;
  #read = 0;

  /** @param values Numbers a row from the graph. @param norms Numbers a row from the optimiser. */
  constructor(gpu: Gpu, values: number, norms: number, rows: number) {
    this.#gpu = gpu;
    this.#values = values;
    this.#norms = norms;
    this.#rows = rows;
    this.#ring = gpu.allocator.storage("metrics ring", rows * (values + norms) * 4);
    this.#readback = new ReadbackRing(gpu, this.#ring.size);
  }

  /** Rows written but not read. */
  get pending(): number {
    return this.#written - this.#read;
  }

  /** Whether the next step would overwrite a row that was not read. */
  get full(): boolean {
    return this.pending === this.#rows;
  }

  /** The dispatch that appends `values` and `norms`. */
  async bind(
    step: { view(name: string): BufferView },
    values: BufferView,
    norms: BufferView,
  ): Promise<BoundDispatch> {
    const dispatch = lowerAppend(this.#values, this.#norms, this.#rows);
    return await bind(this.#gpu, dispatch, [step.view(SLOT), values, norms, this.#ring]);
  }

  /** Step values of the next row. */
  next(): Record<string, number> {
    if (this.full) throw new Error(`metrics ring: want at most ${this.#rows} unread rows; read more often`);
    return { [SLOT]: this.#written++ };
  }

  /**
   * All rows written since the last call, oldest first. Steps may go on while the rows travel: the copy is ordered before
   * whatever is submitted later.
   */
  async drain(): Promise<Float32Array[]> {
    const first = this.#read, last = this.#written;
    if (first === last) return [];
    this.#read = last;
    const width = this.#values + this.#norms;
    const numbers = new Float32Array(await this.#readback.read(this.#ring));
    return Array.from({ length: last - first }, (_, k) => {
      const at = ((first + k) % this.#rows) * width;
      return numbers.slice(at, at + width);
    });
  }

  destroy(): void {
    this.#readback.destroy();
    this.#gpu.allocator.free(this.#ring);
  }
}

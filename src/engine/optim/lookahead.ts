import { lowerLookahead } from "../../../kernels/optim.ts";
import type { Gpu } from "../gpu/device.ts";
import type { BufferView } from "../gpu/allocator.ts";
import { bind, type BoundDispatch } from "../gpu/recorder.ts";
import { stepInput, type Tensor } from "../graph/tensor.ts";
import { MAX_GROUPS, type ParameterStore } from "./parameter_store.ts";

const SHARES = "lookahead shares";
/** Of a number that is taken in: a difference, a product, a sum. */
const FLOPS = 3;

/**
 * Lookahead (Zhang et al. 2019): a store's slow parameters, which take in a share of the fast ones now and then; the fast
 * ones go on from there.
 */
export class Lookahead {
  /** One of the step values of each program that updates. */
  readonly stepInput: Tensor = stepInput(SHARES, [MAX_GROUPS]);
  readonly #gpu: Gpu;
  readonly #store: ParameterStore;
  readonly #slow: BufferView;

  /** @throws {RangeError} if the store keeps no slow parameters. */
  constructor(gpu: Gpu, store: ParameterStore) {
    if (!store.slow) throw new RangeError("lookahead: want a store with slow parameters, got one without");
    this.#gpu = gpu;
    this.#store = store;
    this.#slow = store.slow;
  }

  /** What follows the optimiser's dispatches in a program whose step buffer holds the shares. */
  async bind(step: { view(name: string): BufferView }): Promise<BoundDispatch> {
    const { blocks, blockTable, values } = this.#store;
    return await bind(this.#gpu, lowerLookahead(blocks), [blockTable, step.view(SHARES), values, this.#slow]);
  }

  /** Share of the fast parameters that each group's slow ones take in at this step; others stay as they are. */
  stepValues(shares: Readonly<Record<string, number>>): Record<string, Float32Array> {
    const table = new Float32Array(MAX_GROUPS);
    for (const [index, group] of this.#store.groups.entries()) {
      if (group !== null && Object.hasOwn(shares, group)) table[index] = shares[group];
    }
    return { [SHARES]: table };
  }

  /** FLOPs of a step in which a group takes in something. */
  flops(group: string): number {
    return FLOPS * this.#store.countIn(group);
  }
}

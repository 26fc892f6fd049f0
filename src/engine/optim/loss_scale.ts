import { BLOCK, type DynamicScale } from "../../../kernels/optim.ts";
import type { BufferView } from "../gpu/allocator.ts";
import { ZEROS } from "../nn/init.ts";
import { resident, type Source, type Tensor } from "../graph/tensor.ts";
import type { ParameterStore } from "./parameter_store.ts";

export type { DynamicScale } from "../../../kernels/optim.ts";

/** How a loss scale begins and grows. */
export interface LossScaleOptions {
  /** Scale of the first step. */
  readonly initial: number;
  /** Steps without a fault after which the scale doubles. */
  readonly growthSteps: number;
}

/** Below this a scale is no help: gradients that are not finite then are the network's own. */
export const LEAST_LOSS_SCALE = 1;

const NAME = "loss scale";
/** Groups that are judged together: those of the network that trains, and those of seeds beside it. */
const CLASSES = 2;

/** Numbers that the scales take up in a store. */
export const LOSS_SCALE_NUMBERS = CLASSES * BLOCK;

/**
 * What losses are multiplied by so that cotangents stored as f16 do not vanish: one scale for the network that trains and
 * one for what trains apart from it. Each stands, with its count of good steps and of skipped ones, in a block of the
 * parameter store, and so is saved, restored and rolled back with the parameters.
 */
export class LossScale {
  readonly #store: ParameterStore;
  readonly #growthSteps: number;
  readonly #tensors: readonly Tensor[];

  /**
   * Takes up a group of its own in the store.
   *
   * @throws {RangeError} if the store has no room for `LOSS_SCALE_NUMBERS` more.
   */
  constructor(store: ParameterStore, { initial, growthSteps }: LossScaleOptions) {
    this.#store = store;
    this.#growthSteps = growthSteps;
    const values = new Float32Array(LOSS_SCALE_NUMBERS);
    for (let k = 0; k < CLASSES; k++) values[k * BLOCK] = initial;
    const spec = { name: NAME, shape: [LOSS_SCALE_NUMBERS], init: ZEROS, decay: false };
    store.add([{ spec, values }], NAME);
    this.#tensors = Array.from({ length: CLASSES }, (_, k) => resident(`${NAME}/${k}`, [], "f32"));
  }

  /** The cotangent that a loss begins with. */
  cotangent(apart: boolean): Tensor {
    return this.#tensors[Number(apart)];
  }

  /** Where a cotangent lies; null for other sources. */
  memory({ name }: Source): BufferView | null {
    const at = this.#tensors.findIndex(({ source }) => source!.name === name);
    if (at === -1) return null;
    const { buffer, offset } = this.#store.view(NAME);
    return { buffer, offset: offset + at * BLOCK * 4, size: 16 };
  }

  /** As the optimiser's kernels find it. */
  get dynamic(): DynamicScale {
    return {
      growthSteps: this.#growthSteps,
      least: LEAST_LOSS_SCALE,
      block: this.#store.view(NAME).offset / (BLOCK * 4),
    };
  }
}

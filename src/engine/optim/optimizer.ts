import { lowerGroupNorms, lowerUpdate, type UpdateRule } from "../../../kernels/optim.ts";
import type { BufferView } from "../gpu/allocator.ts";
import type { Gpu } from "../gpu/device.ts";
import { bind, type BoundDispatch } from "../gpu/recorder.ts";
import { stepInput, type Tensor } from "../graph/tensor.ts";
import { MAX_GROUPS, type ParameterStore } from "./parameter_store.ts";

/** How one group is updated at one step. */
export interface GroupRow {
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Largest gradient norm of the group; 0 for none. */
  readonly clip: number;
  /** Updates made so far, this one included: for AdamW's bias correction. */
  readonly updates: number;
}

const ROW = 8;
const TABLE = "optimizer groups";

/** Moments that a rule keeps. */
export function momentsOf(rule: UpdateRule): number {
  return rule.kind === "sgd" ? 1 : 2;
}

/** Updates all active groups of a store, and measures the gradient norm of each. */
export class Optimizer {
  /** Gradient norms before clipping, by group index. */
  readonly norms: BufferView;
  /** The group table: one of the step values of each program that updates. */
  readonly stepInput: Tensor = stepInput(TABLE, [MAX_GROUPS, ROW]);
  readonly #gpu: Gpu;
  readonly #store: ParameterStore;
  readonly #rule: UpdateRule;
  readonly #squares: BufferView;

  constructor(gpu: Gpu, store: ParameterStore, rule: UpdateRule) {
    this.#gpu = gpu;
    this.#store = store;
    this.#rule = rule;
    this.norms = gpu.allocator.storage("gradient norms", MAX_GROUPS * 4);
    this.#squares = gpu.allocator.storage("gradient squares", store.blocks * 4);
  }

  /** The dispatches of one update, for a program whose step buffer holds the group table. */
  async bind(step: { view(name: string): BufferView }): Promise<BoundDispatch[]> {
    const { blocks, blockTable, gradients, values, moments } = this.#store;
    const [squares, norms] = lowerGroupNorms(blocks, MAX_GROUPS);
    return [
      await bind(this.#gpu, squares, [blockTable, gradients, this.#squares]),
      await bind(this.#gpu, norms, [blockTable, this.#squares, this.norms]),
      await bind(this.#gpu, lowerUpdate(this.#rule, blocks), [
        blockTable,
        step.view(TABLE),
        this.norms,
        gradients,
        values,
        ...moments,
      ]),
    ];
  }

  /** Step values for one update; groups without a row stay as they are. */
  stepValues(rows: Readonly<Record<string, GroupRow>>): Record<string, Float32Array> {
    const table = new Float32Array(MAX_GROUPS * ROW);
    for (const [index, group] of this.#store.groups.entries()) {
      const row = group === null ? undefined : rows[group];
      if (!row) continue;
      const beta = this.#rule.kind === "adamw" ? [this.#rule.beta1, this.#rule.beta2] : [0, 0];
      const corrections = beta.map((b) => 1 - b ** row.updates);
      table.set([row.learningRate, row.weightDecay, row.clip, 1, ...corrections], index * ROW);
    }
    return { [TABLE]: table };
  }

  destroy(): void {
    for (const view of [this.norms, this.#squares]) this.#gpu.allocator.free(view);
  }
}

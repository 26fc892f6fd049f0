import {
  lowerBlockSquares,
  lowerGroupNorms,
  lowerUpdate,
  updateFlops,
  type UpdateRule,
} from "../../../kernels/optim.ts";
import type { BufferView } from "../gpu/allocator.ts";
import type { Gpu } from "../gpu/device.ts";
import { bind, type BoundDispatch } from "../gpu/recorder.ts";
import { stepInput, type Tensor } from "../graph/tensor.ts";
import { LossScale, type LossScaleOptions } from "./loss_scale.ts";
import { MAX_GROUPS, type ParameterStore } from "./parameter_store.ts";

export type { UpdateRule } from "../../../kernels/optim.ts";

/** How one group is updated at one step. */
export interface GroupRow {
  /** Factor on the update, this step's. */
  readonly learningRate: number;
  /** Decay of weights per unit of learning rate. */
  readonly weightDecay: number;
  /** Largest gradient norm of the group, or of the groups that are limited together; 0 for none. */
  readonly clip: number;
  /** Name of what is limited together; the same bits then, however it is divided into groups. Default: the group alone. */
  readonly together?: string;
  /** Updates made so far, this one included: for AdamW's bias correction. Skipped ones count. */
  readonly updates: number;
  /** Whether its gradient comes from a loss of its own: a fault in it skips such groups, not the others. */
  readonly apart?: boolean;
}

/** What an optimiser does besides updating. */
export interface OptimizerOptions {
  /** Whether rows may limit a gradient's norm. Default false. */
  readonly clip?: boolean;
  /** Whether gradient norms are measured. Default false. */
  readonly norms?: boolean;
  /** For gradients of losses that were multiplied by `lossScale.cotangent`. */
  readonly lossScale?: LossScaleOptions;
}

const ROW = 8;
const TABLE = "optimizer groups";

/** Numbers of a reading: a norm for each group, the two loss scales, and the steps that were skipped for the first. */
export const NORM_COLUMNS = MAX_GROUPS + 3;

/** Moments that a rule keeps. */
export function momentsOf(rule: UpdateRule): number {
  return rule.kind === "sgd" ? 1 : 2;
}

/** Updates all active groups of a store, and measures the gradient norm of each where asked. */
export class Optimizer {
  /** `NORM_COLUMNS` numbers: norms before clipping, by group index, where they are measured; the loss scales. */
  readonly norms: BufferView;
  /** The group table: one of the step values of each program that updates. */
  readonly stepInput: Tensor = stepInput(TABLE, [MAX_GROUPS, ROW]);
  /** Where gradients are scaled; else null. */
  readonly lossScale: LossScale | null;
  readonly #gpu: Gpu;
  readonly #store: ParameterStore;
  readonly #rule: UpdateRule;
  readonly #options: OptimizerOptions;
  readonly #squares: BufferView;
  readonly #rows: BufferView;

  /** Updates the parameters of `store`, which must keep `momentsOf(rule)` moments. */
  constructor(gpu: Gpu, store: ParameterStore, rule: UpdateRule, options: OptimizerOptions = {}) {
    this.#gpu = gpu;
    this.#store = store;
    this.#rule = rule;
    this.#options = options;
    this.lossScale = options.lossScale ? new LossScale(store, options.lossScale) : null;
    this.norms = gpu.allocator.storage("gradient norms", NORM_COLUMNS * 4);
    this.#squares = gpu.allocator.storage("gradient squares", store.blocks * 4);
    this.#rows = gpu.allocator.storage("optimizer rows", MAX_GROUPS * ROW * 4);
  }

  /**
   * The dispatches of one update, for a program whose step buffer holds the group table. One, if nobody asks for norms.
   * Norms that are only read take a second one, after the update, which leaves the squares behind. Where the update hangs
   * on all gradients (a limit to a norm, a fault anywhere), they are looked at before: no kernel can wait for all others'
   * results, so that takes two dispatches more.
   */
  async bind(step: { view(name: string): BufferView }): Promise<BoundDispatch[]> {
    const { blocks, blockTable, gradients, values, moments } = this.#store;
    const { clip = false, norms = false } = this.#options;
    const scale = this.lossScale?.dynamic ?? null;
    const scaled = clip || scale !== null;
    const { traits } = this.#gpu;
    const table = step.view(TABLE);
    const measure = () =>
      bind(this.#gpu, lowerGroupNorms(blocks, MAX_GROUPS, clip, scale, traits), [
        blockTable,
        this.#squares,
        table,
        values,
        this.#rows,
        this.norms,
      ]);
    const update = await bind(
      this.#gpu,
      lowerUpdate(this.#rule, blocks, { scaled, squares: norms && !scaled, scale }, traits),
      [blockTable, scaled ? this.#rows : table, gradients, values, ...moments, this.#squares],
    );
    if (!scaled) return norms ? [update, await measure()] : [update];
    const squares = await bind(this.#gpu, lowerBlockSquares(blocks), [blockTable, gradients, this.#squares]);
    return [squares, await measure(), update];
  }

  /** FLOPs of updating a group once, its gradient's norm included. */
  flops(group: string): number {
    const { clip = false, norms = false } = this.#options;
    const scaling = Number(clip || this.lossScale !== null), measuring = 2 * Number(norms);
    return this.#store.countIn(group) * (updateFlops(this.#rule) + scaling + measuring);
  }

  /**
   * Step values for one update; groups without a row stay as they are.
   *
   * @throws {RangeError} if a row limits the norm and the optimiser was not made for that.
   */
  stepValues(rows: Readonly<Record<string, GroupRow>>): Record<string, Float32Array> {
    const table = new Float32Array(MAX_GROUPS * ROW), teams: string[] = [];
    for (const [index, group] of this.#store.groups.entries()) {
      const row = group === null ? undefined : rows[group];
      if (!row) continue;
      if (row.clip > 0 && !this.#options.clip) {
        throw new RangeError(
          `optimizer: want clip 0 for group "${group}", got ${row.clip}; make the optimizer with { clip: true }`,
        );
      }
      const team = row.together ?? `group ${group}`;
      if (!teams.includes(team)) teams.push(team);
      const beta = this.#rule.kind === "adamw" ? [this.#rule.beta1, this.#rule.beta2] : [0, 0];
      const corrections = beta.map((b) => 1 - b ** row.updates);
      const numbers = [
        row.learningRate,
        row.weightDecay,
        row.clip,
        1,
        ...corrections,
        Number(row.apart ?? false),
        1 + teams.indexOf(team),
      ];
      table.set(numbers, index * ROW);
    }
    return { [TABLE]: table };
  }

  /** Frees its own buffers; the store stays. */
  destroy(): void {
    for (const view of [this.norms, this.#squares, this.#rows]) this.#gpu.allocator.free(view);
  }
}

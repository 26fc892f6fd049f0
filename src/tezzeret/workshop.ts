import type { Blueprint } from "../contracts/blueprint.ts";
import { type ChooseVariant, firstFit } from "../engine/compile/schedule.ts";
import type { Precision } from "../engine/compile/storage.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { sameShape, type Shape } from "../util/shape.ts";
import { BlueprintError } from "./build.ts";
import { fitOf } from "./check.ts";
import { beating, type Heartbeat } from "./lease.ts";
import { pipelinesFor, type Plan, type PlannedKernel, planOf } from "./pipelines.ts";
import type { Deviation, PipelineCost, Validation } from "./report.ts";
import { compileKernels, openRig, type Rig } from "./rig.ts";
import { batchOf, cornerOf, drawValues, traceTrial } from "./trial.ts";
import { deviations, validate } from "./validate.ts";

/** A blueprint and the slot that it is meant for. */
export interface WorkOrder {
  readonly blueprint: Blueprint;
  /** Of the slot's activation, one example. */
  readonly shape: Shape;
}

/** What will be compiled. */
export interface Draft {
  readonly checkedShape: Shape;
  readonly batchShape: Shape;
  readonly kernels: readonly PlannedKernel[];
}

/** Where blueprints become kernels and kernels are tried: on the training thread or off it. */
export interface Workshop {
  /**
   * The kernels of a blueprint, as text.
   *
   * @throws {BlueprintError} if it does not fit the slot.
   */
  draft(order: WorkOrder): Promise<Draft>;
  /**
   * Compiles, compares and times them.
   *
   * @throws {BlueprintError} if they do not compile or do not compute what the blueprint says.
   */
  test(order: WorkOrder, heartbeat?: Heartbeat): Promise<Validation>;
  close(): void;
}

export interface WorkshopOptions {
  readonly gpu: Gpu;
  /** Default fp32. */
  readonly precision?: Precision;
  /** Examples in a batch of training. Default 2. */
  readonly batch?: number;
  /** Of the values that kernels are tried on. Default 1. */
  readonly seed?: number;
  /** As in `compile`. Default: the first variant that fits. */
  readonly choose?: ChooseVariant;
  /**
   * Whether kernels are compared and timed at the size of a batch, too, and compiled for training's own. Default: no. On a software adapter or on the
   * training thread that takes too long.
   */
  readonly thorough?: boolean;
}

/** A workshop on a device, at work on the thread that calls it, with turns of the event loop in between. */
export function createWorkshop(options: WorkshopOptions): Workshop {
  const { gpu, precision = "fp32", batch = 2, seed = 1, choose = firstFit, thorough = false } = options;
  const { fused, reference } = pipelinesFor({ choose, precision });

  function shapesOf({ blueprint, shape }: WorkOrder) {
    const fit = fitOf(blueprint, shape);
    if (!fit.fits) throw new BlueprintError(fit.reason);
    const checkedShape = cornerOf(blueprint, shape);
    const batchShape = thorough ? batchOf(blueprint, shape, batch, gpu.traits.software) : checkedShape;
    return { fit, checkedShape, batchShape };
  }

  const trace = ({ blueprint }: WorkOrder, shape: Shape) => traceTrial(blueprint, shape);
  const planFor = (order: WorkOrder, shape: Shape) => planOf(trace(order, shape), fused, gpu.traits);

  async function open(order: WorkOrder, shape: Shape, pipeline = fused): Promise<{ rig: Rig; plan: Plan }> {
    const trial = pipeline.prepare(trace(order, shape));
    const plan = await planOf(trial, pipeline, gpu.traits);
    return { rig: await openRig(gpu, trial, pipeline, plan), plan };
  }

  /** Fused and reference pipeline at the size of a batch, on the same values. */
  async function compareBatch(fusedRig: Rig, referenceRig: Rig, tolerance: number): Promise<Deviation> {
    const names = Object.keys(fusedRig.trial.outputs);
    const results = [];
    for (const rig of [fusedRig, referenceRig]) {
      rig.load(drawValues(rig.trial, seed, 0));
      results.push(await rig.run(0.5, names));
    }
    const all = deviations(names, results[0], results[1], tolerance, "the reference pipeline at a batch");
    return Object.values(all).reduce((worst, one) => one.relative > worst.relative ? one : worst);
  }

  async function test(order: WorkOrder): Promise<Validation> {
    const { fit, checkedShape, batchShape } = shapesOf(order);
    const rigs: Rig[] = [];
    const opened = async (shape: Shape, pipeline = fused) => {
      const one = await open(order, shape, pipeline);
      rigs.push(one.rig);
      return one;
    };
    try {
      const corner = await opened(checkedShape);
      const fault = order.blueprint.fault === true;
      const checked = await validate(corner.rig, { seed, precision, fault });
      const main = sameShape(checkedShape, batchShape) ? corner : await opened(batchShape);
      const plain = thorough ? await opened(batchShape, reference) : null;
      // Overflow depends on the order of sums, which is the pipelines' own.
      const comparable = plain !== null && checked.finite && !fault;
      const batchError = comparable ? await compareBatch(main.rig, plain.rig, checked.tolerance) : null;
      const { total, costs } = await costsOf(main.rig, main.plan);
      // Drivers keep what they have compiled, for other devices, too: a training step finds these when it grows.
      if (thorough) await compileKernels(gpu, await planFor(order, [batch, ...order.shape]));
      return {
        ...checked,
        parameters: fit.parameters,
        flops: fit.flops,
        batchError,
        fused: total,
        reference: plain && (await costsOf(plain.rig, plain.plan)).total,
        costs,
        spentFlops: rigs.reduce((sum, { spent }) => sum + spent, 0),
      };
    } finally {
      for (const rig of rigs) rig.destroy();
    }
  }

  return {
    async draft(order) {
      const { checkedShape, batchShape } = shapesOf(order);
      const { kernels } = await planFor(order, batchShape);
      if (sameShape(checkedShape, batchShape)) return { checkedShape, batchShape, kernels };
      const known = new Set(kernels.map(({ sha256 }) => sha256));
      const others = (await planFor(order, checkedShape)).kernels.filter(({ sha256 }) => !known.has(sha256));
      const corner = others.map((kernel) => ({ ...kernel, dispatches: 0 }));
      return { checkedShape, batchShape, kernels: [...kernels, ...corner] };
    },

    test: (order, heartbeat) => beating(heartbeat, () => test(order)),

    close() {},
  };
}

/** What a rig's kernels cost, each and all together. */
async function costsOf(rig: Rig, { kernels, order }: Plan) {
  const micros = await rig.time();
  const { dispatches, bytes } = rig.program;
  const costs = kernels.map(({ sha256 }, kernel) => {
    const own = order.flatMap((of, at) => of === kernel ? [at] : []);
    const sum = (pick: (at: number) => number) => own.reduce((total, at) => total + pick(at), 0);
    return {
      sha256,
      p50Micros: micros && sum((at) => micros[at]),
      bytes: sum((at) => dispatches[at].work.bytes),
      flops: sum((at) => dispatches[at].work.flops),
    };
  });
  const total: PipelineCost = {
    dispatches: dispatches.length,
    p50Micros: micros && micros.reduce((sum, one) => sum + one, 0),
    bytes: costs.reduce((sum, cost) => sum + cost.bytes, 0),
    memoryBytes: bytes,
  };
  return { total, costs };
}

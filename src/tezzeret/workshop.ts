import type { Blueprint } from "../contracts/blueprint.ts";
import { type ChooseVariant, firstFit } from "../engine/compile/schedule.ts";
import type { Precision } from "../engine/compile/storage.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { sameShape, type Shape } from "../util/shape.ts";
import { BlueprintError } from "./build.ts";
import { fitOf } from "./check.ts";
import { deviations, driftOf } from "./deviation.ts";
import { ledBy, placesOf, worstOfKernels } from "./kernel_errors.ts";
import { beating, type Heartbeat } from "./lease.ts";
import { type During, notePhases } from "./phases.ts";
import { pipelinesFor, type Plan, type PlannedKernel, planOf } from "./pipelines.ts";
import type { Deviation, KernelError, PipelineCost, Validation } from "./report.ts";
import { compileKernels, openRig, type Rig } from "./rig.ts";
import { batchOf, cornerOf, drawValues, traceTrial } from "./trial.ts";
import { agreeOnce, DRIFT, validate } from "./validate.ts";

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

/** A device that was lost while it tried a blueprint, which says nothing of the blueprint. */
export class DeviceLostError extends Error {
  override readonly name = "DeviceLostError";
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
   * @throws {DeviceLostError} if the device is lost meanwhile.
   */
  test(order: WorkOrder, heartbeat?: Heartbeat): Promise<Validation>;
  /** Ends it, whatever it is at. */
  close(): Promise<void>;
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

interface Opened {
  readonly rig: Rig;
  readonly plan: Plan;
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

  /**
   * Fused and reference pipeline at the size of a batch, on the same values: every kernel's results with the reference
   * pipeline led by them, and the outputs as a whole with the reference pipeline left alone.
   */
  async function compareBatch(
    { rig, plan }: Opened,
    plain: Rig,
    tolerance: number,
    draw: number,
    during: During,
  ): Promise<{ batchError: Deviation; kernelErrors: KernelError[] }> {
    const names = Object.keys(rig.trial.outputs), alpha = 0.5;
    const [got, within] = await during("run batch", async () => {
      rig.load(drawValues(rig.trial, seed, draw));
      return [await rig.run(alpha, names), await rig.inspect(alpha)];
    });
    const places = placesOf(rig), plainPlaces = placesOf(plain);
    const [own, led, ledWithin] = await during("run reference", async () => {
      plain.load(drawValues(plain.trial, seed, draw));
      const own = await plain.run(alpha, names);
      const left = ledBy(rig, within);
      const given = new Map(rig.program.results.map(({ tensor }, k) => [places[k], left.get(tensor)]));
      const all = await plain.inspect(alpha, plainPlaces.map((place) => given.get(place)));
      return [own, await plain.outputs(names), all];
    });
    return await during("compare batch", () => {
      const origin = "the reference pipeline at a batch";
      const wanted = places.map((place) => ledWithin[plainPlaces.indexOf(place)]);
      const kernelErrors = worstOfKernels(rig, plan, within, wanted, { tolerance, against: "reference" });
      const all = Object.values(deviations(names, got, led, tolerance, origin));
      driftOf(names, got, own, DRIFT[precision], origin);
      return {
        batchError: all.reduce((worst, one) => one.relative > worst.relative ? one : worst),
        kernelErrors,
      };
    });
  }

  async function test(order: WorkOrder): Promise<Validation> {
    const { fit, checkedShape, batchShape } = shapesOf(order);
    const { phases, during } = notePhases();
    const rigs: Rig[] = [];
    const spent = () => rigs.reduce((sum, rig) => sum + rig.spent, 0);
    const opened = async (what: string, shape: Shape, pipeline = fused): Promise<Opened> => {
      const trial = await during(`trace ${what}`, () => pipeline.prepare(trace(order, shape)));
      const plan = await during(`plan ${what}`, () => planOf(trial, pipeline, gpu.traits));
      await during(`compile ${what}`, () => compileKernels(gpu, plan));
      const rig = await during(`bind ${what}`, () => openRig(gpu, trial, pipeline));
      rigs.push(rig);
      return { rig, plan };
    };
    try {
      const fault = order.blueprint.fault === true;
      const corner = await opened("corner", checkedShape);
      const checked = await during(
        "compare corner",
        () => validate(corner.rig, corner.plan, { seed, precision, fault }),
      );
      const main = sameShape(checkedShape, batchShape) ? corner : await opened("batch", batchShape);
      const plain = thorough ? await opened("reference", batchShape, reference) : null;
      // Overflow depends on the order of sums, which is the pipelines' own.
      const compared = plain !== null && checked.finite && !fault
        ? await agreeOnce((draw) => compareBatch(main, plain.rig, checked.tolerance, draw, during))
        : null;
      const { total, costs } = await during("time batch", () => costsOf(main, false));
      // Its kernels are slow, and training shares the GPU.
      const plainCost = plain && (await during("time reference", () => costsOf(plain, true))).total;
      // Drivers keep what they have compiled, for other devices, too: a training step finds these when it grows.
      if (thorough) {
        const plan = await during("plan step", () => planFor(order, [batch, ...order.shape]));
        await during("compile step", () => compileKernels(gpu, plan));
      }
      const errors = [...checked.kernelErrors, ...compared?.kernelErrors ?? []];
      const kernels = new Set([...main.plan.kernels, ...corner.plan.kernels].map(({ sha256 }) => sha256));
      return {
        ...checked,
        kernelErrors: [...kernels].flatMap((sha256) => errors.find((one) => one.sha256 === sha256) ?? []),
        parameters: fit.parameters,
        flops: fit.flops,
        batchError: compared?.batchError ?? null,
        fused: total,
        reference: plainCost,
        costs,
        spentFlops: spent(),
        phases,
      };
    } catch (error) {
      const lost = await gpu.lossReason();
      if (lost !== null) {
        throw new DeviceLostError(`workshop: the device was lost: ${lost}`, { cause: error });
      }
      if (!(error instanceof BlueprintError)) throw error;
      throw new BlueprintError(error.message, { cause: error, spentFlops: spent() });
    } finally {
      await during("free", () => rigs.forEach((rig) => rig.destroy()));
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

    close: () => Promise.resolve(),
  };
}

/** What a rig's kernels cost, each and all together. */
async function costsOf({ rig, plan: { kernels, order } }: Opened, once: boolean) {
  const micros = await rig.time(once);
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

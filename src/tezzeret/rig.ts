import { compile, type Program } from "../engine/compile/program.ts";
import type { BufferView } from "../engine/gpu/allocator.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { GpuError } from "../engine/gpu/errors.ts";
import { median, timePasses } from "../engine/gpu/profile.ts";
import { readFloats } from "../engine/gpu/readback.ts";
import { replay } from "../engine/gpu/recorder.ts";
import type { Values } from "../engine/graph/op.ts";
import { sizeOf } from "../util/shape.ts";
import { BlueprintError } from "./build.ts";
import type { Pipeline, Plan } from "./pipelines.ts";
import { ALPHA, type Trial } from "./trial.ts";

/** Runs that a median is taken of. */
const TIMED_RUNS = 7;
/** The first ones are slower: kernels are made ready for the device, which clocks up. */
const WARM_RUNS = 2;

/** A trial on a device, with memory for its sources. */
export interface Rig {
  readonly trial: Trial;
  readonly program: Program;
  load(values: Readonly<Record<string, Values>>): void;
  /** Runs once; outputs in the order asked for. */
  run(alpha: number, names: readonly string[]): Promise<Values[]>;
  /** Median microseconds of each dispatch; null where the device has no clock. */
  time(): Promise<number[] | null>;
  /** Multiplications and additions that it has done so far. */
  readonly spent: number;
  destroy(): void;
}

/**
 * Puts a trial on a device.
 *
 * @throws {BlueprintError} if the device refuses one of its kernels or has no memory for it; a lost device is not the
 * blueprint's fault.
 */
export async function openRig(gpu: Gpu, trial: Trial, pipeline: Pipeline, plan: Plan): Promise<Rig> {
  const views = new Map<string, BufferView>();
  const free = () => {
    for (const view of views.values()) gpu.allocator.free(view);
  };
  let program: Program;
  try {
    await compileKernels(gpu, plan);
    for (const { name, shape } of trial.sources) {
      views.set(name, gpu.allocator.storage(`admission/${name}`, sizeOf(shape) * 4));
    }
    program = await blameKernels(gpu, () =>
      compile(gpu, {
        label: "admission",
        outputs: trial.outputs,
        memory: (source) => views.get(source.name)!,
        choose: pipeline.choose,
        precision: pipeline.precision,
      }));
  } catch (error) {
    free();
    throw error;
  }
  let spent = 0;
  return {
    trial,
    program,
    load(values) {
      for (const [name, view] of views) {
        gpu.device.queue.writeBuffer(view.buffer, view.offset, Float32Array.from(values[name]));
      }
    },
    async run(alpha, names) {
      program.step.write({ [ALPHA]: alpha });
      replay(gpu, program.dispatches);
      spent += program.flops;
      return await Promise.all(
        names.map((name) => readFloats(gpu, program.outputs[name], sizeOf(trial.outputs[name].shape))),
      );
    },
    async time() {
      if (!gpu.device.features.has("timestamp-query")) return null;
      const passes = program.dispatches.map((dispatch) => [dispatch]);
      const runs: number[][] = [];
      for (let k = 0; k < WARM_RUNS + TIMED_RUNS; k++) {
        const spans = await timePasses(gpu, passes);
        spent += program.flops;
        if (k >= WARM_RUNS) runs.push(spans.map(({ begin, end }) => 1e6 * (end - begin)));
      }
      return passes.map((_, at) => median(runs.map((micros) => micros[at])));
    },
    get spent() {
      return spent;
    },
    destroy() {
      program.destroy();
      free();
    },
  };
}

/**
 * Compiles the kernels of a plan.
 *
 * @throws {BlueprintError} if the device refuses one.
 */
export async function compileKernels(gpu: Gpu, { dispatches }: Plan): Promise<void> {
  await blameKernels(gpu, async () => {
    const compiling = dispatches.map(({ dispatch, halves }) => gpu.pipelines.get(dispatch, halves));
    // Where one fails, the others must not be left behind.
    await Promise.allSettled(compiling);
    await Promise.all(compiling);
  });
}

/** What a device refuses is the blueprint's fault, as long as there is a device. */
async function blameKernels<T>(gpu: Gpu, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    gpu.check();
    if (!(error instanceof GpuError) || await gpu.lossReason() !== null) throw error;
    throw new BlueprintError(error.message, { cause: error });
  }
}

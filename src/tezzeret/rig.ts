import { compile, type Program } from "../engine/compile/program.ts";
import type { BufferView } from "../engine/gpu/allocator.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { GpuError } from "../engine/gpu/errors.ts";
import { median, timePasses } from "../engine/gpu/profile.ts";
import { read, readFloats } from "../engine/gpu/readback.ts";
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
/** Bytes of results that wait for the host at once. */
const MOST_UNDER_WAY = 16 * 2 ** 20;

/** A trial on a device, with memory for its sources. */
export interface Rig {
  readonly trial: Trial;
  readonly program: Program;
  load(values: Readonly<Record<string, Values>>): void;
  /** Runs once; outputs in the order asked for. */
  run(alpha: number, names: readonly string[]): Promise<Values[]>;
  /**
   * Runs once; what each task leaves in memory, in the order of the program's results. Where `led` has other numbers for a
   * result, all that comes after is given those.
   */
  inspect(alpha: number, led?: readonly (Values | undefined)[]): Promise<Values[]>;
  /** What the last run left in the outputs, in the order asked for. */
  outputs(names: readonly string[]): Promise<Values[]>;
  /** Median microseconds of each dispatch, over some runs or of `once`; null where the device has no clock. */
  time(once: boolean): Promise<number[] | null>;
  /** Multiplications and additions that it has done so far. */
  readonly spent: number;
  destroy(): void;
}

/**
 * Puts a trial on a device, whose kernels need not have been compiled.
 *
 * @throws {BlueprintError} if the device refuses one of its kernels or has no memory for it; a lost device is not the
 * blueprint's fault.
 */
export async function openRig(gpu: Gpu, trial: Trial, pipeline: Pipeline): Promise<Rig> {
  const views = new Map<string, BufferView>();
  const free = () => {
    for (const view of views.values()) gpu.allocator.free(view);
  };
  let program: Program;
  try {
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
  const outputs = async (names: readonly string[]) =>
    await Promise.all(
      names.map((name) => readFloats(gpu, program.outputs[name], sizeOf(trial.outputs[name].shape))),
    );
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
      return await outputs(names);
    },
    outputs,
    async inspect(alpha, led = []) {
      program.step.write({ [ALPHA]: alpha });
      const values = await runInParts(gpu, program, led);
      spent += program.flops;
      return values;
    },
    async time(once) {
      if (!gpu.device.features.has("timestamp-query")) return null;
      const passes = program.dispatches.map((dispatch) => [dispatch]);
      const runs: number[][] = [];
      for (let k = once ? WARM_RUNS : 0; k < WARM_RUNS + (once ? 1 : TIMED_RUNS); k++) {
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

/** Runs a program and copies each result as soon as it is complete, before another gets its memory. */
async function runInParts(
  gpu: Gpu,
  { dispatches, results }: Program,
  led: readonly (Values | undefined)[],
): Promise<Values[]> {
  const copies: Promise<Values>[] = [];
  let from = 0, underWay = 0;
  for (const [k, { tensor, place, after }] of results.entries()) {
    const count = sizeOf(tensor.shape), halves = place.stored === "f16";
    replay(gpu, dispatches.slice(from, after));
    from = after;
    const copy = read(gpu, place, count * (halves ? 2 : 4));
    copies.push(
      copy.then((bytes) => halves ? new Float32Array(new Float16Array(bytes)) : new Float32Array(bytes)),
    );
    const given = led[k];
    if (given) {
      const numbers = halves ? new Float16Array(given) : new Float32Array(given);
      gpu.device.queue.writeBuffer(place.buffer, place.offset, numbers);
    }
    underWay += 4 * count;
    if (underWay < MOST_UNDER_WAY) continue;
    await Promise.allSettled(copies);
    underWay = 0;
  }
  await Promise.allSettled(copies);
  return await Promise.all(copies);
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

import { compile, type Program } from "../engine/compile/program.ts";
import { evaluateInBackground } from "../engine/compile/reference.ts";
import type { ChooseVariant } from "../engine/compile/schedule.ts";
import type { BufferView } from "../engine/gpu/allocator.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { readFloats } from "../engine/gpu/readback.ts";
import { replay } from "../engine/gpu/recorder.ts";
import type { Values } from "../engine/graph/op.ts";
import { sizeOf } from "../util/shape.ts";
import { BlueprintError } from "./build.ts";
import type { ReferenceError, Validation } from "./report.ts";
import { ALPHA, atBirth, drawValues, RESULT, type Trial } from "./trial.ts";

/**
 * Largest difference from the reference, over the tensor's largest magnitude. The library's blueprints come to 3e-6 at
 * most; a kernel that drops or repeats one term of a sum is off by 1e-2.
 */
const TOLERANCE = 1e-3;
/** A gradient that cancels to nothing is compared at this share of the largest gradient: below lies only rounding. */
const LEAST_SCALE = 1e-3;
const DRAWS = 3;
const ALPHAS = [0, 0.5, 1] as const;

/** What `validate` measures; the costs come from elsewhere. */
export type Measured = Omit<Validation, "flops" | "parameters" | "elapsedMs">;

/** A program with its sources in memory. */
interface Bench {
  readonly gpu: Gpu;
  readonly program: Program;
  readonly trial: Trial;
  load(values: Readonly<Record<string, Values>>): void;
}

/**
 * Runs a trial on the device and compares it with its float64 reference: y = h exactly at γ = 0, then y and every
 * gradient at random γ.
 *
 * It asks whether the kernels compute what the blueprint says, not whether that is any good. Where the reference is NaN
 * or infinite the device must be so too, and that passes: a blueprint that is meant to break training is admitted, and
 * it is for the gates and the governor to catch it.
 *
 * @throws {BlueprintError} if they do not; the message names the first tensor that differs.
 */
export async function validate(
  gpu: Gpu,
  trial: Trial,
  { seed, choose }: { seed: number; choose: ChooseVariant },
): Promise<Measured> {
  const views = new Map<string, BufferView>();
  try {
    for (const { name, shape } of trial.sources) {
      views.set(name, gpu.allocator.storage(`admission/${name}`, sizeOf(shape) * 4));
    }
    const program = await compile(gpu, {
      label: "admission",
      outputs: trial.outputs,
      memory: (source) => views.get(source.name)!,
      choose,
    });
    try {
      const load = (values: Readonly<Record<string, Values>>) => {
        for (const [name, view] of views) {
          gpu.device.queue.writeBuffer(view.buffer, view.offset, Float32Array.from(values[name]));
        }
      };
      return await measure({ gpu, program, trial, load }, seed);
    } finally {
      program.destroy();
    }
  } finally {
    for (const view of views.values()) gpu.allocator.free(view);
  }
}

async function measure(bench: Bench, seed: number): Promise<Measured> {
  const { trial, program } = bench;
  const noOpError = await birth(bench, drawValues(trial, seed, 0));
  const { errors, finite } = await agreeOnce((draw) => compare(bench, drawValues(trial, seed, draw)));
  return { dispatches: program.dispatches.length, finite, noOpError, tolerance: TOLERANCE, errors };
}

/**
 * What the first draw on which device and reference agree comes to; the last draw's error where they agree on none.
 * Float32 may land on the other side of a ReLU's kink than float64, which happens to one draw in hundreds and makes a
 * whole gradient element differ; a broken kernel fails every draw.
 */
export async function agreeOnce<T>(compareDraw: (draw: number) => Promise<T>): Promise<T> {
  for (let draw = 0;; draw++) {
    try {
      return await compareDraw(draw);
    } catch (error) {
      if (!(error instanceof BlueprintError) || draw === DRAWS - 1) throw error;
    }
  }
}

/** Reads outputs of one run, in the order asked for. */
async function run(
  { gpu, program, trial }: Bench,
  alpha: number,
  names: readonly string[],
): Promise<Values[]> {
  program.step.write({ [ALPHA]: alpha });
  replay(gpu, program.dispatches);
  return await Promise.all(
    names.map((name) => readFloats(gpu, program.outputs[name], sizeOf(trial.outputs[name].shape))),
  );
}

/** Largest |y − h| at γ = 0, where f(h) is finite: want 0. */
async function birth(bench: Bench, values: Record<string, Values>): Promise<number> {
  const newborn = atBirth(values);
  const [want] = await evaluateInBackground([bench.trial.outputs[RESULT]], { ...newborn, [ALPHA]: [1] });
  bench.load(newborn);
  for (const alpha of ALPHAS) {
    const [got] = await run(bench, alpha, [RESULT]);
    const changed = got.findIndex((y, i) => Number.isFinite(want[i]) && y !== values.h[i]);
    if (changed === -1) continue;
    throw new BlueprintError(
      `want y = h at gamma 0 and alpha ${alpha}, got ${got[changed]} for ${
        values.h[changed]
      } at element ${changed}`,
    );
  }
  return 0;
}

/** Compares one draw's outputs with the reference, α = ½. */
async function compare(bench: Bench, values: Record<string, Values>) {
  const names = Object.keys(bench.trial.outputs);
  const alpha = 0.5;
  bench.load(values);
  const got = await run(bench, alpha, names);
  const want = await evaluateInBackground(Object.values(bench.trial.outputs), {
    ...values,
    [ALPHA]: [alpha],
  });
  const scales = want.map(magnitude);
  const least = LEAST_SCALE * Math.max(...scales);
  const errors = names.map((name, k) =>
    [name, distance(name, got[k], want[k], Math.max(scales[k], least))] as const
  );
  const finite = want.every((array) => array.every(Number.isFinite));
  return { errors: Object.fromEntries(errors), finite };
}

/** Largest finite magnitude. */
function magnitude(values: Values): number {
  let most = 0;
  for (const value of values) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
  return most;
}

/**
 * Largest difference of two arrays, whose NaNs and infinities must stand in the same places.
 *
 * @throws {BlueprintError} if it is too large.
 */
function distance(name: string, got: Values, want: Values, scale: number): ReferenceError {
  let absolute = 0;
  for (let i = 0; i < want.length; i++) {
    if (Object.is(got[i], want[i])) continue;
    const difference = Math.abs(got[i] - want[i]);
    if (!(difference <= TOLERANCE * scale)) {
      throw new BlueprintError(
        `want ${name} equal to the float64 reference within ${TOLERANCE} of ${scale}, ` +
          `got ${got[i]} for ${want[i]} at element ${i}`,
      );
    }
    absolute = Math.max(absolute, difference);
  }
  return { absolute, relative: scale > 0 ? absolute / scale : 0 };
}

import { compile, type Program } from "../compile/program.ts";
import { type ChooseVariant, firstFit, schedule } from "../compile/schedule.ts";
import { NO_HALVES, type Precision, storedAsHalves } from "../compile/storage.ts";
import type { BufferView } from "../gpu/allocator.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Call, DeviceTraits, DType, TensorType, Variant } from "../gpu/kernel.ts";
import { median, type Span, timePasses } from "../gpu/profile.ts";
import type { BoundDispatch } from "../gpu/recorder.ts";
import type { Op } from "../graph/op.ts";
import { apply, resident, type Tensor } from "../graph/tensor.ts";
import { memoryOf, reachable } from "../graph/trace.ts";
import { opTable } from "../ops/table.ts";
import { prng } from "../../util/prng.ts";
import { type Shape, sizeOf } from "../../util/shape.ts";
import { kernelKey } from "./choices.ts";

/** An operation on given shapes that several kernels can compute. */
export interface Contest {
  readonly key: string;
  readonly op: Op;
  readonly call: Call;
  /** Those that fit, the default first. */
  readonly variants: readonly Variant[];
}

export interface VariantTime {
  readonly id: string;
  readonly seconds: number;
}

export interface ContestResult {
  readonly key: string;
  /** The default first. */
  readonly times: readonly VariantTime[];
  readonly winner: string;
}

/** A timing shorter than this says little. */
const LONG_ENOUGH = 2e-3;
/** Below what a clock tells apart. */
const SHORTEST = 1e-7;
const LOOKS = 3;
const ROUNDS = 7;
const MAX_RUNS = 2000;
/** A variant this much slower than the best at first sight is not timed again. */
const HOPELESS = 3;
/** The default stays unless another takes less than this of its time: timings differ from day to day. */
const CLEARLY = 0.97;

/** The contests in the graphs of `outputs`, each once, added to `found` by key. */
export function findContests(
  outputs: readonly Tensor[],
  device: DeviceTraits,
  found: Map<string, Contest> = new Map(),
  precision: Precision = "fp32",
): Map<string, Contest> {
  const halves = precision === "mixed"
    ? storedAsHalves(reachable(outputs), new Set(outputs.map(memoryOf)))
    : NO_HALVES;
  const choose: ChooseVariant = (name, variants, call, device) => {
    const fitting = variants.filter((variant) => variant.fits(call, device));
    const key = kernelKey(name, call);
    if (fitting.length > 1 && !found.has(key)) {
      const op = opTable[name as keyof typeof opTable];
      found.set(key, { key, op, call, variants: fitting });
    }
    return firstFit(name, variants, call, device);
  };
  schedule(outputs, device, choose, halves);
  return found;
}

/** Times all variants of a contest in turn, on random numbers, by the device's clock. */
export async function timeVariants(gpu: Gpu, contest: Contest): Promise<ContestResult> {
  const { key, call, op, variants } = contest;
  const inputs = call.inputs.map(({ shape, dtype }, k) => resident(`input ${k}`, shape, dtype));
  const views = call.inputs.map((type) => place(gpu, key, type));
  const into = place(gpu, key, call.output);
  const programs: Program[] = [];
  try {
    for (const variant of variants) {
      const program = await compile(gpu, {
        label: `${key} ${variant.id}`,
        writes: [{ tensor: apply(op, inputs, call.attrs), into }],
        memory: ({ name }) => views[inputs.findIndex(({ source }) => source!.name === name)],
        choose: () => variant,
      });
      programs.push(program);
    }
    const seconds = await race(gpu, programs.map(({ dispatches }) => dispatches));
    const times = variants.map(({ id }, k) => ({ id, seconds: seconds[k] }));
    const best = times.reduce((a, b) => b.seconds < a.seconds ? b : a);
    const winner = best.seconds < CLEARLY * times[0].seconds ? best : times[0];
    return { key, times, winner: winner.id };
  } finally {
    for (const program of programs) program.destroy();
    for (const view of [...views, into]) gpu.allocator.free(view);
  }
}

/** Seconds of one run of each; those that have a chance, and the default, are run often, and take turns to begin. */
async function race(gpu: Gpu, runners: readonly (readonly BoundDispatch[])[]): Promise<number[]> {
  // The first look is the shortest of a few: one may be disturbed.
  const looks: Span[][] = [];
  for (let look = 0; look <= LOOKS; look++) looks.push(await timePasses(gpu, runners));
  const warm = looks.slice(1);
  const first = runners.map((_, k) =>
    Math.max(SHORTEST, Math.min(...warm.map((spans) => lengthOf(spans[k]))))
  );
  const limit = HOPELESS * Math.min(...first);
  const serious = first.flatMap((seconds, k) => k === 0 || seconds <= limit ? [k] : []);
  const samples: number[][] = first.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    const order = serious.map((_, k) => serious[(k + round) % serious.length]);
    const runs = order.map((k) => Math.min(MAX_RUNS, Math.ceil(LONG_ENOUGH / first[k])));
    const passes = order.map((k, at) => Array.from({ length: runs[at] }, () => runners[k]).flat());
    const spans = await timePasses(gpu, passes);
    for (const [at, k] of order.entries()) samples[k].push(lengthOf(spans[at]) / runs[at]);
  }
  return first.map((seconds, k) => samples[k].length > 0 ? median(samples[k]) : seconds);
}

const lengthOf = ({ begin, end }: Span) => end - begin;

const PATTERN = 1 << 16;

/** Memory of a tensor with such numbers in it, stored as the call has it. */
function place(gpu: Gpu, label: string, { shape, dtype, stored }: TensorType): BufferView {
  const values = numbers(shape, dtype);
  if (stored !== "f16") return gpu.allocator.upload(label, values);
  const halves = new Uint32Array(Math.ceil(values.length / 2));
  new Float16Array(halves.buffer).set(values);
  return { ...gpu.allocator.upload(label, halves), stored };
}

/** Small random numbers, repeated as often as need be; indices are 0. */
function numbers(shape: Shape, dtype: DType): Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> {
  const count = sizeOf(shape);
  if (dtype === "u32") return new Uint32Array(count);
  const random = prng(1, "tune");
  const pattern = Float32Array.from({ length: Math.min(PATTERN, count) }, () => random.uniform() - 0.5);
  const values = new Float32Array(count);
  for (let at = 0; at < count; at += PATTERN) values.set(pattern.subarray(0, count - at), at);
  return values;
}

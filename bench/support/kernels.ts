import { compile } from "../../src/engine/compile/program.ts";
import { type ChooseVariant, firstFit } from "../../src/engine/compile/schedule.ts";
import type { BufferView } from "../../src/engine/gpu/allocator.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import type { Attrs, TensorType } from "../../src/engine/gpu/kernel.ts";
import { timePasses } from "../../src/engine/gpu/profile.ts";
import { bind, type BoundDispatch, replay } from "../../src/engine/gpu/recorder.ts";
import type { Tensor } from "../../src/engine/graph/tensor.ts";
import type { OpName } from "../../src/engine/ops/names.ts";
import { opTable } from "../../src/engine/ops/table.ts";
import { type Shape, sizeOf } from "../../src/util/shape.ts";
import { randomFloats } from "./random.ts";
import { type Spread, spreadOf } from "./statistics.ts";
import { timeCalls, type TimingOptions } from "./timing.ts";

/** One application of an op that has kernels of its own. */
export interface KernelCase {
  readonly op: OpName;
  readonly inputs: readonly Shape[];
  readonly attrs: Attrs;
  /** Which operands are stored as f16; absent: none. */
  readonly halves?: { readonly inputs: readonly boolean[]; readonly output: boolean };
}

/** How fast one kernel is at one case. */
export interface VariantTime extends Record<string, string | number | boolean> {
  readonly variant: string;
  /** Whether it is what the engine takes by itself. */
  readonly default: boolean;
  readonly ms: number;
  readonly p10: number;
  readonly p90: number;
  readonly flops: number;
  readonly dispatches: number;
}

/** What computes anything, one invocation a result: left out where there is better, unless `all` are wanted. */
const LAST_RESORT = "plain";

/** Times the kernels of the device's kind that fit a case, or the default and `only` these, on random operands. */
export async function timeVariants(
  gpu: Gpu,
  { op, inputs, attrs, halves }: KernelCase,
  options: TimingOptions & { readonly all: boolean; readonly only?: readonly string[] | undefined },
): Promise<VariantTime[]> {
  const record = opTable[op];
  if (record.lower === "view" || "wgsl" in record.lower) {
    throw new TypeError(`${op} has no kernels of its own`);
  }
  const typed = (shape: Shape, half = false): TensorType =>
    half ? { shape, dtype: "f32", stored: "f16" } : { shape, dtype: "f32" };
  const types = inputs.map((shape, k) => typed(shape, halves?.inputs[k]));
  const call = { inputs: types, output: typed(record.type(types, attrs).shape, halves?.output), attrs };
  const first = firstFit(op, record.lower, call, gpu.traits);
  const fitting = record.lower.filter((variant) =>
    variant.fits(call, gpu.traits) &&
    (variant === first || (options.only?.includes(variant.id) ?? (options.all || variant.id !== LAST_RESORT)))
  );
  const operands = types.map((type, k) => uploadRandom(gpu, type, k + 1));
  const result = stored(gpu.allocator.storage("result", 4 * sizeOf(call.output.shape)), call.output);
  const times: VariantTime[] = [];
  for (const variant of fitting) {
    const lowering = variant.lower(call, gpu.traits);
    const scratch = lowering.scratchBytes.map((bytes, k) => gpu.allocator.storage(`scratch ${k}`, bytes));
    const dispatches: BoundDispatch[] = [];
    for (const dispatch of lowering.dispatches) {
      const views = dispatch.operands.map((operand) =>
        operand === "output"
          ? result
          : "input" in operand
          ? operands[operand.input]
          : scratch[operand.scratch]
      );
      dispatches.push(await bind(gpu, dispatch, views));
    }
    gpu.check();
    const { median: ms, p10, p90 } = await timeDispatches(gpu, dispatches, options);
    const flops = record.flops(call);
    times.push({
      variant: variant.id,
      default: variant === first,
      ms,
      p10,
      p90,
      flops,
      dispatches: dispatches.length,
    });
    for (const view of scratch) gpu.allocator.free(view);
  }
  for (const view of [...operands, result]) gpu.allocator.free(view);
  return times;
}

function stored(view: BufferView, type: TensorType): BufferView {
  return type.stored ? { ...view, stored: type.stored } : view;
}

function uploadRandom(gpu: Gpu, type: TensorType, seed: number): BufferView {
  const values = randomFloats(sizeOf(type.shape), seed);
  if (!type.stored) return gpu.allocator.upload(`operand ${seed}`, values);
  const halves = new Float16Array(2 * Math.ceil(values.length / 2));
  halves.set(values);
  return stored(gpu.allocator.upload(`operand ${seed}`, new Uint32Array(halves.buffer)), type);
}

/** More replays in one pass than this tell nothing new. */
const MOST_REPLAYS = 256;

/**
 * Milliseconds of a graph whose sources are `in0`, `in1` …, on the device's clock: replayed many times in one pass, one
 * after the other, as in a step. Where the device has no timestamps, by the wall.
 */
export async function timeGraph(
  gpu: Gpu,
  output: Tensor,
  buffers: readonly BufferView[],
  options: TimingOptions,
  choose: ChooseVariant = firstFit,
): Promise<{ ms: number; p10: number; p90: number; dispatches: number }> {
  const program = await compile(gpu, {
    label: "bench",
    outputs: { output },
    memory: ({ name }) => buffers[Number(name.slice(2))],
    choose,
  });
  const { dispatches } = program;
  const { median, p10, p90 } = await timeDispatches(gpu, dispatches, options);
  program.destroy();
  return { ms: median, p10, p90, dispatches: dispatches.length };
}

async function timeDispatches(
  gpu: Gpu,
  dispatches: readonly BoundDispatch[],
  options: TimingOptions,
): Promise<Spread> {
  return gpu.traits.features.has("timestamp-query")
    ? await timeReplays(gpu, dispatches, options)
    : await timeCalls(gpu, () => replay(gpu, dispatches), options);
}

async function timeReplays(
  gpu: Gpu,
  dispatches: readonly BoundDispatch[],
  { rounds, seconds }: TimingOptions,
): Promise<Spread> {
  const run = async (replays: number, count: number) => {
    const pass = Array.from({ length: replays }, () => dispatches).flat();
    const spans = await timePasses(gpu, Array.from({ length: count }, () => pass));
    return spans.map(({ begin, end }) => 1e3 * (end - begin) / replays);
  };
  const fit = (ms: number) => Math.max(1, Math.min(MOST_REPLAYS, Math.round(1e3 * seconds / ms)));
  const [, cold] = await run(1, 2);
  const [warm] = await run(fit(cold), 1);
  const replays = fit(warm);
  const [, ...times] = await run(replays, 1 + rounds);
  return spreadOf(times);
}

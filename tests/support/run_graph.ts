import { type ChooseVariant, firstFit } from "../../src/engine/compile/schedule.ts";
import { compile } from "../../src/engine/compile/program.ts";
import type { Feeds } from "../../src/engine/compile/reference.ts";
import { type Halves, NO_HALVES } from "../../src/engine/compile/storage.ts";
import type { BufferView } from "../../src/engine/gpu/allocator.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { read } from "../../src/engine/gpu/readback.ts";
import { replay } from "../../src/engine/gpu/recorder.ts";
import type { Values } from "../../src/engine/graph/op.ts";
import type { Tensor } from "../../src/engine/graph/tensor.ts";
import { reachable } from "../../src/engine/graph/trace.ts";
import { sizeOf } from "../../src/util/shape.ts";

const SENTINEL = 12345.678;
/** Numbers behind each result. */
const GUARD = 16;

/** Numbers in memory. */
type Numbers = typeof Float32Array | typeof Uint32Array | typeof Float16Array;

/**
 * Runs a graph on a device; `halves` are the sources and outputs that memory holds as f16. Results are poisoned with NaN
 * before and followed by sentinels.
 *
 * @throws {Error} if a kernel wrote past the end of its result.
 */
export async function runGraph(
  gpu: Gpu,
  outputs: readonly Tensor[],
  feeds: Feeds,
  choose: ChooseVariant = firstFit,
  halves: Halves = NO_HALVES,
): Promise<Values[]> {
  const numbersOf = (tensor: Tensor): Numbers =>
    halves.has(tensor) ? Float16Array : tensor.dtype === "u32" ? Uint32Array : Float32Array;
  const place = (label: string, numbers: ArrayBufferView, tensor: Tensor): BufferView => {
    const words = new Uint32Array(Math.ceil(numbers.byteLength / 4));
    new Uint8Array(words.buffer).set(new Uint8Array(numbers.buffer as ArrayBuffer));
    const view = gpu.allocator.upload(label, words);
    return halves.has(tensor) ? { ...view, stored: "f16" } : view;
  };
  const buffers = new Map<string, BufferView>();
  for (const tensor of reachable(outputs)) {
    const { source } = tensor;
    if (!source || source.kind === "step") continue;
    buffers.set(source.name, place(source.name, numbersOf(tensor).from(feeds[source.name]), tensor));
  }
  const targets = outputs.map((tensor, k) => {
    const count = sizeOf(tensor.shape);
    const Poisoned = halves.has(tensor) ? Float16Array : Float32Array;
    const data = new Poisoned(count + GUARD).fill(NaN, 0, count).fill(SENTINEL, count);
    return { tensor, count, data, view: place(`target ${k}`, data, tensor) };
  });
  const program = await compile(gpu, {
    label: "test",
    writes: targets.map(({ tensor, count, data, view }) => ({
      tensor,
      into: { ...view, size: Math.ceil(count * data.BYTES_PER_ELEMENT / 16) * 16 },
    })),
    memory: (source) => buffers.get(source.name)!,
    choose,
  });
  program.step.write(feeds as Record<string, number[]>);
  replay(gpu, program.dispatches);
  const results: Values[] = [];
  for (const { tensor, count, data, view } of targets) {
    const bytes = await read(gpu, view, data.byteLength);
    const Poisoned = data.constructor as typeof Float16Array;
    if (!new Poisoned(bytes).subarray(count).every((value, k) => value === data[count + k])) {
      throw new Error(`${tensor}: a kernel wrote past the end of its result`);
    }
    const numbers = new (numbersOf(tensor))(bytes, 0, count);
    results.push(numbers instanceof Float16Array ? Float64Array.from(numbers) : numbers);
  }
  program.destroy();
  for (const view of [...buffers.values(), ...targets.map((t) => t.view)]) gpu.allocator.free(view);
  return results;
}

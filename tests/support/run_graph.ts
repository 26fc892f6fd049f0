import { type ChooseVariant, firstFit } from "../../src/engine/compile/schedule.ts";
import { compile } from "../../src/engine/compile/program.ts";
import type { Feeds } from "../../src/engine/compile/reference.ts";
import type { BufferView } from "../../src/engine/gpu/allocator.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { read } from "../../src/engine/gpu/readback.ts";
import { replay } from "../../src/engine/gpu/recorder.ts";
import type { Values } from "../../src/engine/graph/op.ts";
import type { Tensor } from "../../src/engine/graph/tensor.ts";
import { reachable } from "../../src/engine/graph/trace.ts";
import { sizeOf } from "../../src/util/shape.ts";

const SENTINEL = 12345.678;
const GUARD_BYTES = 64;

/**
 * Runs a graph on a device. Results are poisoned with NaN before and followed by sentinels.
 *
 * @throws {Error} if a kernel wrote past the end of its result.
 */
export async function runGraph(
  gpu: Gpu,
  outputs: readonly Tensor[],
  feeds: Feeds,
  choose: ChooseVariant = firstFit,
): Promise<Values[]> {
  const buffers = new Map<string, BufferView>();
  for (const { source, dtype } of reachable(outputs)) {
    if (!source || source.kind === "step") continue;
    const values = feeds[source.name];
    const data = dtype === "u32" ? Uint32Array.from(values) : Float32Array.from(values);
    buffers.set(source.name, gpu.allocator.upload(source.name, data));
  }
  const targets = outputs.map((output, k) => {
    const size = sizeOf(output.shape) * 4;
    const data = new Float32Array((size + GUARD_BYTES) / 4).fill(NaN, 0, size / 4).fill(SENTINEL, size / 4);
    return { size, view: gpu.allocator.upload(`target ${k}`, data) };
  });
  const program = await compile(gpu, {
    label: "test",
    writes: outputs.map((tensor, k) => ({
      tensor,
      into: { ...targets[k].view, size: Math.ceil(targets[k].size / 16) * 16 },
    })),
    memory: (source) => buffers.get(source.name)!,
    choose,
  });
  program.step.write(feeds as Record<string, number[]>);
  replay(gpu, program.dispatches);
  const results: Values[] = [];
  for (const [k, { size, view }] of targets.entries()) {
    const bytes = await read(gpu, view, size + GUARD_BYTES);
    const tail = new Float32Array(bytes, size);
    if (!tail.every((value) => value === Math.fround(SENTINEL))) {
      throw new Error(`${outputs[k]}: a kernel wrote past the end of its result`);
    }
    results.push(
      outputs[k].dtype === "u32" ? new Uint32Array(bytes, 0, size / 4) : new Float32Array(bytes, 0, size / 4),
    );
  }
  program.destroy();
  for (const view of [...buffers.values(), ...targets.map((t) => t.view)]) gpu.allocator.free(view);
  return results;
}

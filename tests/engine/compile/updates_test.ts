import { assertEquals } from "@std/assert";
import { compile } from "../../../src/engine/compile/program.ts";
import type { BufferView } from "../../../src/engine/gpu/allocator.ts";
import type { Gpu } from "../../../src/engine/gpu/device.ts";
import { readFloats } from "../../../src/engine/gpu/readback.ts";
import { replay } from "../../../src/engine/gpu/recorder.ts";
import { parameter, type Tensor } from "../../../src/engine/graph/tensor.ts";
import { add, mul, sub } from "../../../src/engine/ops/elementwise.ts";
import { sum } from "../../../src/engine/ops/reduce.ts";
import { onEachDevice } from "../../support/devices.ts";

const SIZE = 8;
const places: Record<string, number> = { average: 0, scale: 256, x: 512 };

/** Compiles a graph over three tensors of one buffer, whose result replaces the first, and runs it twice. */
async function update(
  gpu: Gpu,
  next: (average: Tensor, scale: Tensor, x: Tensor) => Tensor,
  output?: boolean,
) {
  const numbers = new Float32Array(256).map((_, i) => i % 64);
  const { buffer } = gpu.allocator.upload("store", numbers);
  const view = (name: string): BufferView => ({ buffer, offset: places[name], size: 4 * SIZE });
  const [average, scale, x] = ["average", "scale", "x"].map((name) => parameter(name, [SIZE]));
  const program = await compile(gpu, {
    label: "update",
    writes: [{ tensor: next(average, scale, x), into: view("average") }],
    outputs: output ? { twice: mul(2, average) } : {},
    memory: ({ name }) => view(name),
  });
  for (let k = 0; k < 2; k++) replay(gpu, program.dispatches);
  const names = program.dispatches.map(({ name }) => name);
  const result = [...await readFloats(gpu, { buffer, offset: 0, size: 4 * SIZE }, SIZE)];
  const twice = output ? [...await readFloats(gpu, program.outputs.twice, SIZE)] : [];
  program.destroy();
  gpu.allocator.free({ buffer, offset: 0, size: 0 });
  return { names: names.filter((name) => name.startsWith("fused/")), result, twice };
}

/** The numbers after two updates from 0, 1, 2 …, where `f` is one. */
const twiceBy = (f: (value: number, i: number) => number) =>
  Array.from({ length: SIZE }, (_, i) => f(f(i, i), i));
const total = SIZE * (SIZE - 1) / 2;

onEachDevice("What nothing else reads is updated where it lies", async (gpu) => {
  const { names, result } = await update(gpu, (average, _, x) => add(mul(0.5, average), sum(x)));
  assertEquals(names, ["fused/mul-add"]);
  assertEquals(result, twiceBy((value) => value / 2 + total));
});

onEachDevice("What others read, or what is beside other operands, is updated by a copy", async (gpu) => {
  const beside = await update(gpu, (average, scale) => add(mul(0.5, average), scale));
  assertEquals(beside.names, ["fused/mul-add", "fused/broadcastTo"]);
  assertEquals(beside.result, twiceBy((value, i) => value / 2 + i));
  const read = await update(gpu, (average, _, x) => sub(sum(x), average), true);
  assertEquals(read.names.sort(), ["fused/broadcastTo", "fused/mul", "fused/sub"]);
  assertEquals(read.result, twiceBy((value) => total - value));
  assertEquals(read.twice, Array.from({ length: SIZE }, (_, i) => 2 * (total - i)));
  const summed = await update(gpu, (average) => mul(sum(average), add(average, 1)));
  assertEquals(summed.names, ["fused/add-mul", "fused/broadcastTo"]);
});

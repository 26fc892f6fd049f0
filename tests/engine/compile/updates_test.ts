import { assertEquals } from "@std/assert";
import { compile } from "../../../src/engine/compile/program.ts";
import type { BufferView } from "../../../src/engine/gpu/allocator.ts";
import type { Gpu } from "../../../src/engine/gpu/device.ts";
import { readFloats } from "../../../src/engine/gpu/readback.ts";
import { replay } from "../../../src/engine/gpu/recorder.ts";
import { parameter, stepInput, type Tensor } from "../../../src/engine/graph/tensor.ts";
import { add, mul, relu, sub } from "../../../src/engine/ops/elementwise.ts";
import { batchStats } from "../../../src/engine/ops/norm.ts";
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

/** Two steps of a running average of the statistics of x [rows, channels], which is computed, or lies in the same buffer. */
async function average(gpu: Gpu, [rows, channels]: readonly [number, number], variant: string, own: boolean) {
  const numbers = new Float32Array(64 + rows * channels).fill(1, 0, 64);
  for (let i = 0; i < rows * channels; i++) {
    numbers[64 + i] = (i % channels) + (Math.floor(i / channels) % 2 ? 1 : 3);
  }
  const store = gpu.allocator.upload("store", numbers);
  const place: Record<string, BufferView> = {
    average: { ...store, size: 8 * channels },
    x: { ...store, offset: 256, size: 4 * rows * channels },
  };
  const average = parameter("average", [2, 1, channels]);
  const x = own ? relu(stepInput("x", [rows, channels])) : parameter("x", [rows, channels]);
  const stats = batchStats(x);
  const program = await compile(gpu, {
    label: "average",
    writes: [{ tensor: add(mul(0.5, average), mul(0.5, stats)), into: place.average }],
    outputs: { stats },
    memory: ({ name }) => place[name],
    choose: (_, variants) => variants.find(({ id }) => id === variant)!,
  });
  if (own) program.step.write({ x: numbers.subarray(64) });
  for (let k = 0; k < 2; k++) replay(gpu, program.dispatches);
  const names = program.dispatches.map(({ name }) => name);
  const result = [...await readFloats(gpu, place.average, 2 * channels)];
  const batch = [...await readFloats(gpu, program.outputs.stats, 2 * channels)];
  program.destroy();
  gpu.allocator.free(store);
  return { names, result, batch };
}

onEachDevice("Kernels of a batch's statistics take them into a running average", async (gpu) => {
  for (
    const [rows, channels, variant, kernel] of [
      [64, 8, "columns4", "combine"],
      [64, 8, "columnsGroup4", "moments_group4"],
      [16_384, 8, "columnsGroup4", "merge4"],
      [64, 6, "serial", "stats"],
    ] as const
  ) {
    const { names, result, batch } = await average(gpu, [rows, channels], variant, true);
    assertEquals(names.at(-1), `norm/${kernel}&mul-mul-add`);
    // Mean c + 2 and variance 1, from an average of 1.
    const want = Array.from({ length: 2 * channels }, (_, k) => k < channels ? k + 2 : 1);
    assertEquals(batch, want, kernel);
    assertEquals(result, want.map((value) => 0.25 + 0.75 * value), kernel);
  }
});

onEachDevice("A kernel that reads the buffer of a running average leaves it to another", async (gpu) => {
  const { names, result, batch } = await average(gpu, [64, 8], "serial", false);
  assertEquals(names, ["norm/stats", "fused/mul-mul-add"]);
  assertEquals(result, batch.map((value) => 0.25 + 0.75 * value));
});

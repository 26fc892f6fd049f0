/** The network that engines are compared by, at batch 64: what its training step asks of the host and of memory. */
import { assert, assertEquals } from "@std/assert";
import { openWorkbench } from "../../../bench/support/training_step.ts";
import { smallCnn } from "../../../bench/support/models.ts";
import type { Gpu } from "../../../src/engine/gpu/device.ts";
import { countingCalls } from "../../support/count_calls.ts";
import { onEachDevice, openShared } from "../../support/devices.ts";

const BATCH = 64;
const MEGABYTE = 1e6;

async function built(gpu: Gpu, model = smallCnn()) {
  const before = gpu.allocator.liveBytes;
  const bench = openWorkbench(gpu, [model], BATCH);
  const step = await bench.build(model);
  return { bench, step, bytes: gpu.allocator.liveBytes - before };
}

onEachDevice(
  "The common step at batch 64 needs at most 40 MB, images and parameters included",
  async (gpu) => {
    const { bench, step, bytes } = await built(gpu);
    assert(bytes <= 40 * MEGABYTE, `${bytes / MEGABYTE} MB`);
    step.destroy();
    bench.destroy();
  },
);

onEachDevice(
  "A steady common step is one write, one pass and one submit, and creates nothing",
  async (gpu) => {
    const { gpu: counted, calls } = countingCalls(gpu);
    const { bench, step } = await built(counted);
    step.run();
    const before = { ...calls };
    for (let k = 0; k < 3; k++) step.run();
    const made = Object.entries(calls).map(([name, count]) => [name, count - (before[name] ?? 0)]);
    assertEquals(Object.fromEntries(made.filter(([, count]) => count !== 0)), {
      "createCommandEncoder": 3,
      "encoder.beginComputePass": 3,
      "encoder.finish": 3,
      "queue.submit": 3,
      "queue.writeBuffer": 3,
    });
    step.destroy();
    bench.destroy();
  },
);

onEachDevice(
  "Bias and ReLU of the common step, and ReLU's mask, are no dispatches of their own",
  async (gpu) => {
    const { bench, step } = await built(gpu);
    const names = step.dispatches.map(({ name }) => name);
    assertEquals(names.filter((name) => name.endsWith("+add-relu")).length, 3);
    assertEquals(names.filter((name) => name.endsWith("+gate")).length, 3);
    assertEquals(names.filter((name) => name.startsWith("fused/")), []);
    assert(names.length <= 32, `${names.length} dispatches: ${names.join(", ")}`);
    step.destroy();
    bench.destroy();
  },
);

Deno.test("The common step on a GPU is 21 dispatches at most: biases have their gradients from those of weights", async () => {
  const gpu = (await openShared("native"))!;
  const { bench, step } = await built({ ...gpu, traits: { ...gpu.traits, software: false } });
  const names = step.dispatches.map(({ name }) => name);
  assertEquals(names.filter((name) => name.startsWith("reduce/")), []);
  assert(names.length <= 21, `${names.length} dispatches: ${names.join(", ")}`);
  step.destroy();
  bench.destroy();
});

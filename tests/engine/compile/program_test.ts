import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { MetricsRing } from "../../../src/engine/compile/metrics_ring.ts";
import { compile, type Program } from "../../../src/engine/compile/program.ts";
import type { ChooseVariant } from "../../../src/engine/compile/schedule.ts";
import type { Gpu } from "../../../src/engine/gpu/device.ts";
import { GpuError } from "../../../src/engine/gpu/errors.ts";
import { single } from "../../../src/engine/gpu/kernel.ts";
import { readFloats } from "../../../src/engine/gpu/readback.ts";
import { type BoundDispatch, replay } from "../../../src/engine/gpu/recorder.ts";
import { gradients } from "../../../src/engine/graph/gradients.ts";
import { resident, stepInput } from "../../../src/engine/graph/tensor.ts";
import { dense } from "../../../src/engine/nn/layers.ts";
import { TraceScope } from "../../../src/engine/nn/scope.ts";
import { add, mul, relu, square, sub } from "../../../src/engine/ops/elementwise.ts";
import { matmul } from "../../../src/engine/ops/matmul.ts";
import { mean } from "../../../src/engine/ops/reduce.ts";
import { reshape } from "../../../src/engine/ops/shape.ts";
import { Optimizer } from "../../../src/engine/optim/optimizer.ts";
import { ParameterStore } from "../../../src/engine/optim/parameter_store.ts";
import { type Calls, countingCalls } from "../../support/count_calls.ts";
import { onEachDevice, openOwn } from "../../support/devices.ts";
import { runGraph } from "../../support/run_graph.ts";
import { drawn, numbers } from "../../support/store.ts";

interface Training {
  readonly program: Program;
  readonly ring: MetricsRing;
  step(): void;
  destroy(): void;
}

/** A small regression that trains: loss, gradients, update and a metrics row in one pass. */
async function training(gpu: Gpu): Promise<Training> {
  const scope = new TraceScope();
  const x = stepInput("x", [4, 3]);
  const y = dense(scope, "out", relu(dense(scope, "hidden", x, 8)), 2);
  const loss = mean(square(sub(y, 1)));
  const { parameters } = scope;
  const grads = gradients(loss, parameters.map(({ tensor }) => tensor));
  const rule = { kind: "sgd", momentum: 0.9, nesterov: false } as const;
  const store = new ParameterStore(gpu, ParameterStore.sizeOf(parameters), 1);
  store.add(parameters.map((spec) => drawn(spec.name, spec.shape)), "host");
  const optimizer = new Optimizer(gpu, store, rule, { norms: true });
  const ring = new MetricsRing(gpu, 1, 1, 8);
  const program = await compile(gpu, {
    label: "train",
    writes: parameters.map(({ name }, k) => ({ tensor: grads[k], into: store.gradientView(name) })),
    outputs: { loss: reshape(loss, [1]) },
    stepInputs: [optimizer.stepInput, ring.stepInput],
    memory: (source) => store.view(source.name),
  });
  const after: BoundDispatch[] = [
    ...await optimizer.bind(program.step),
    await ring.bind(program.step, program.outputs.loss, optimizer.norms),
  ];
  let updates = 0;
  return {
    program,
    ring,
    step() {
      const host = { learningRate: 0.05, weightDecay: 0, clip: 0, updates: ++updates };
      program.step.write({
        x: numbers(`x ${updates}`, 12),
        ...optimizer.stepValues({ host }),
        ...ring.next(),
      });
      replay(gpu, program.dispatches, after);
    },
    destroy() {
      for (const owned of [program, ring, optimizer, store]) owned.destroy();
    },
  };
}

onEachDevice("A steady step makes one write, one pass and one submit, and creates nothing", async (gpu) => {
  const counted = countingCalls(gpu);
  const run = await training(counted.gpu);
  run.step();
  const before: Calls = { ...counted.calls };
  for (let k = 0; k < 5; k++) run.step();
  const made = Object.entries(counted.calls).map(([name, count]) => [name, count - (before[name] ?? 0)]);
  assertEquals(Object.fromEntries(made.filter(([, count]) => count !== 0)), {
    "createCommandEncoder": 5,
    "encoder.beginComputePass": 5,
    "encoder.finish": 5,
    "queue.submit": 5,
    "queue.writeBuffer": 5,
  });
  const losses = (await run.ring.drain()).map((row) => row[0]);
  assertEquals(losses.length, 6);
  run.destroy();
});

onEachDevice("Live bytes are flat while a program runs, and return when it is destroyed", async (gpu) => {
  const start = gpu.allocator.liveBytes;
  const first = await training(gpu);
  const running = gpu.allocator.liveBytes;
  for (let round = 0; round < 3; round++) {
    for (let k = 0; k < 8; k++) first.step();
    await first.ring.drain();
    assertEquals(gpu.allocator.liveBytes, running);
  }
  for (let round = 0; round < 3; round++) {
    const other = await training(gpu);
    other.step();
    assertEquals(gpu.allocator.liveBytes, 2 * running - start);
    other.destroy();
    other.destroy();
    assertEquals(gpu.allocator.liveBytes, running);
  }
  first.destroy();
  assertEquals(gpu.allocator.liveBytes, start);
});

onEachDevice("A second program of the same graph compiles no kernel", async (gpu) => {
  const first = await training(gpu);
  const kernels = gpu.pipelines.size;
  const second = await training(gpu);
  assertEquals(gpu.pipelines.size, kernels);
  first.destroy();
  second.destroy();
});

onEachDevice("Live bytes are 0 after the device is destroyed", async ({ adapter }) => {
  const own = await openOwn(adapter.backend);
  const run = await training(own);
  run.step();
  await run.ring.drain();
  own.destroy();
  assertEquals(own.allocator.liveBytes, 0);
  assert(own.allocator.peakBytes > 0);
});

onEachDevice("The same steps give the same bits", async (gpu) => {
  const rows: Float32Array[][] = [];
  for (let time = 0; time < 2; time++) {
    const run = await training(gpu);
    for (let k = 0; k < 6; k++) run.step();
    rows.push(await run.ring.drain());
    run.destroy();
  }
  assertEquals(rows[0], rows[1]);
});

onEachDevice(
  "compile() keeps outputs apart that share memory with sources, views and each other",
  async (gpu) => {
    const x = resident("x", [2, 3], "f32"), doubled = mul(x, 2);
    const outputs = [x, doubled, doubled, reshape(doubled, [6]), add(doubled, 1), reshape(x, [3, 2])];
    const feeds = { x: [1, 2, 3, 4, 5, 6] };
    const twice = [2, 4, 6, 8, 10, 12];
    const got = await runGraph(gpu, outputs, feeds);
    assertEquals(got.map((values) => [...values]), [
      feeds.x,
      twice,
      twice,
      twice,
      [3, 5, 7, 9, 11, 13],
      feeds.x,
    ]);
  },
);

onEachDevice("compile() refuses to copy integers as floats", async (gpu) => {
  const labels = resident("labels", [3], "u32");
  await assertRejects(
    () => runGraph(gpu, [labels], { labels: [1, 2, 0xffffffff] }),
    TypeError,
    "broadcastTo: want an f32 operand, got u32",
  );
});

onEachDevice("compile() counts FLOPs and bytes", async (gpu) => {
  const a = resident("a", [4, 8], "f32"), b = resident("b", [8, 4], "f32");
  const views = { a: gpu.allocator.storage("a", 128), b: gpu.allocator.storage("b", 128) };
  const start = gpu.allocator.liveBytes;
  const program = await compile(gpu, {
    label: "t",
    outputs: { y: relu(matmul(a, b)) },
    memory: ({ name }) => views[name as "a" | "b"],
  });
  assertEquals(program.flops, 2 * 4 * 4 * 8 + 16);
  assertEquals(program.bytes, gpu.allocator.liveBytes - start);
  replay(gpu, program.dispatches);
  assertEquals(await readFloats(gpu, program.outputs.y, 16), new Float32Array(16));
  program.destroy();
  for (const view of Object.values(views)) gpu.allocator.free(view);
});

onEachDevice("compile() that fails names kernel and line, and leaves no memory behind", async (gpu) => {
  const a = resident("a", [4, 8], "f32"), b = resident("b", [8, 4], "f32");
  const views = { a: gpu.allocator.storage("a", 128), b: gpu.allocator.storage("b", 128) };
  const start = gpu.allocator.liveBytes;
  const source = `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() {
  y[0] = nothing;
}`;
  const broken: ChooseVariant = () => ({
    id: "broken",
    fits: () => true,
    lower: () =>
      single({ name: "test/broken", source, constants: {}, operands: ["output"], workgroups: [1, 1, 1] }),
  });
  const compiling = () =>
    compile(gpu, {
      label: "t",
      outputs: { y: matmul(add(a, 1), b) },
      memory: ({ name }) => views[name as "a" | "b"],
      choose: broken,
    });
  await assertRejects(compiling, GpuError, /^kernel test\/broken: WGSL line 3: /);
  assertEquals(gpu.allocator.liveBytes, start);
  for (const view of Object.values(views)) gpu.allocator.free(view);
});

onEachDevice("Allocator.storage() says which buffer is too large for the device", (gpu) => {
  const start = gpu.allocator.liveBytes;
  const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
  const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
  const want = limit + 16 - limit % 16;
  assertThrows(
    () => gpu.allocator.storage("huge", want),
    GpuError,
    `buffer "huge": want ${want} bytes, the device allows ${limit}; use a smaller batch, model or data set`,
  );
  assertEquals(gpu.allocator.liveBytes, start);
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { compile } from "../../../src/engine/compile/program.ts";
import { evaluate } from "../../../src/engine/compile/reference.ts";
import { memoryOf, reachable } from "../../../src/engine/graph/trace.ts";
import { storedAsHalves, storedCallOf } from "../../../src/engine/compile/storage.ts";
import { GpuError } from "../../../src/engine/gpu/errors.ts";
import { readFloats } from "../../../src/engine/gpu/readback.ts";
import { replay } from "../../../src/engine/gpu/recorder.ts";
import { gradients } from "../../../src/engine/graph/gradients.ts";
import {
  materialise,
  parameter,
  resident,
  stepInput,
  type Tensor,
} from "../../../src/engine/graph/tensor.ts";
import { cnn } from "../../../src/engine/nn/hosts.ts";
import { initialise } from "../../../src/engine/nn/init.ts";
import { TraceScope } from "../../../src/engine/nn/scope.ts";
import { conv2d } from "../../../src/engine/ops/conv2d.ts";
import { mul, relu, square } from "../../../src/engine/ops/elementwise.ts";
import { softmaxCrossEntropy } from "../../../src/engine/ops/loss.ts";
import { mean, sum } from "../../../src/engine/ops/reduce.ts";
import { reshape } from "../../../src/engine/ops/shape.ts";
import { sizeOf } from "../../../src/util/shape.ts";
import { onEachDevice } from "../../support/devices.ts";
import { numbers } from "../../support/store.ts";

/** Enough for activations to outweigh partial sums, which stay f32. */
const BATCH = 32;
const images = resident("images", [BATCH, 16, 16, 4], "f32");
const filter = parameter("filter", [3, 3, 4, 8]);

function halvesOf(...outputs: Tensor[]): (tensor: Tensor) => boolean {
  const halves = storedAsHalves(reachable(outputs), new Set(outputs.map(memoryOf)));
  return (tensor) => halves.has(memoryOf(tensor));
}

/** A small network with its loss and gradients. */
function network() {
  const scope = new TraceScope();
  const logits = cnn([16, 16, 4], 3, [8, 16]).forward(scope, images);
  const loss = mean(softmaxCrossEntropy(logits, stepInput("labels", [BATCH], "u32")));
  const { parameters } = scope;
  return { parameters, loss: reshape(loss, [1]), grads: gradients(loss, parameters.map((p) => p.tensor)) };
}

Deno.test("storedAsHalves() takes activations and their cotangents, and neither parameters nor what is derived of them", () => {
  const { grads, loss } = network();
  const half = halvesOf(loss, ...grads);
  const kinds = new Map<string, Set<boolean>>();
  for (const node of reachable([loss, ...grads])) {
    const name = node.op?.lower === "view" ? "view" : node.op?.name ?? node.source!.kind;
    kinds.set(name, (kinds.get(name) ?? new Set()).add(half(node)));
  }
  const always = (wanted: boolean) =>
    [...kinds].filter(([, seen]) => !seen.has(!wanted)).map(([name]) => name);
  for (
    const name of [
      "conv2d",
      "conv2dInputGradient",
      "groupNormalize",
      "groupNormInputGradient",
      "relu",
      "maxPool2d",
    ]
  ) {
    assert(always(true).includes(name), `${name} is stored as halves`);
  }
  for (
    const name of [
      "parameter",
      "resident",
      "step",
      "groupStats",
      "groupNormSums",
      "conv2dWeightGradient",
      "matmul",
    ]
  ) {
    assert(always(false).includes(name), `${name} is stored as f32`);
  }
  assert(!half(loss) && !grads.some(half));
});

Deno.test("storedAsHalves() leaves logits and the terms of sums as they are, also where an activation is the only operand", () => {
  const h = relu(conv2d(images, filter, { padding: 1 }));
  const logits = reshape(sum(h, [1, 2], false), [BATCH, 8]);
  const conv = conv2d(relu(conv2d(images, filter, { padding: 1 })), parameter("head", [16, 16, 8, 3]));
  const loss = mean(softmaxCrossEntropy(reshape(conv, [BATCH, 3]), stepInput("labels", [BATCH], "u32")));
  const squares = square(h), shared = materialise(square(relu(h)));
  const perExample = softmaxCrossEntropy(reshape(conv, [BATCH, 3]), stepInput("labels", [BATCH], "u32"));
  const half = halvesOf(loss, perExample, ...gradients(loss, [filter]), sum(squares), sum(shared), logits);
  assertEquals([half(conv), half(squares)], [false, false]);
  assertEquals([half(h), half(shared)], [true, true]);
});

Deno.test("storedAsHalves() leaves what leaves the program as f32, through views too", () => {
  const h = conv2d(images, filter, { padding: 1 });
  const y = relu(h), flat = reshape(h, [BATCH, 2048]);
  assertEquals([halvesOf(y)(h), halvesOf(y)(y)], [true, false]);
  assertEquals(halvesOf(y, flat)(h), false);
});

Deno.test("storedCallOf() tells kernels how operands and result are stored", () => {
  const h = conv2d(images, filter, { padding: 1 }), y = relu(reshape(h, [BATCH, 2048]));
  const { inputs, output } = storedCallOf(y, new Set([h]));
  assertEquals(inputs, [{ shape: [BATCH, 2048], dtype: "f32", stored: "f16" }]);
  assertEquals(output, { shape: [BATCH, 2048], dtype: "f32" });
});

onEachDevice(
  "compile() for mixed precision computes the same within the precision of halves, in less memory",
  async (gpu) => {
    if (!gpu.traits.features.has("shader-f16")) return;
    const { parameters, loss, grads } = network();
    const feeds: Record<string, ArrayLike<number>> = {
      images: numbers("images", sizeOf(images.shape)),
      labels: Array.from({ length: BATCH }, (_, n) => n % 3),
    };
    for (const { name, shape, init } of parameters) feeds[name] = initialise(name, shape, init, 1);
    const buffers = new Map(
      [...parameters.map(({ name }) => name), "images"].map((name) =>
        [name, gpu.allocator.upload(name, Float32Array.from(feeds[name]))] as const
      ),
    );
    const targets = grads.map(({ shape }) => gpu.allocator.storage("gradient", sizeOf(shape) * 4));
    const bytes: number[] = [];
    for (const precision of ["fp32", "mixed"] as const) {
      const program = await compile(gpu, {
        label: precision,
        precision,
        writes: grads.map((tensor, k) => ({ tensor, into: targets[k] })),
        outputs: { loss },
        memory: ({ name }) => buffers.get(name)!,
      });
      program.step.write({ labels: feeds.labels });
      replay(gpu, program.dispatches);
      const want = evaluate([loss, ...grads], feeds as never);
      for (const [k, view] of [program.outputs.loss, ...targets].entries()) {
        const got = await readFloats(gpu, view, want[k].length);
        const scale = Math.max(...want[k].map(Math.abs)),
          error = Math.max(...got.map((v, i) => Math.abs(v - want[k][i])));
        // A few roundings to f16 on the way to each gradient, 2^-11 of the largest value each; a maximum that another
        // pixel takes over moves a gradient by a few per cent.
        assert(
          error <= (precision === "mixed" ? 0.05 : 1e-5) * scale,
          `${precision} result ${k}: ${error} of ${scale}`,
        );
      }
      bytes.push(program.bytes);
      program.destroy();
    }
    assert(bytes[1] < 0.75 * bytes[0], `bytes: ${bytes}`);
    for (const view of [...buffers.values(), ...targets]) gpu.allocator.free(view);
  },
);

onEachDevice("compile() for mixed precision names the cure where a device has no f16", async (gpu) => {
  const without = { ...gpu, traits: { ...gpu.traits, features: new Set<string>() } };
  const view = gpu.allocator.storage("images", 16);
  const error = await assertRejects(
    () =>
      compile(without, {
        label: "test",
        precision: "mixed",
        outputs: { y: mul(images, 2) },
        memory: () => view,
      }),
    GpuError,
  );
  assertEquals(
    error.message,
    'program "test": want the WebGPU feature shader-f16 for mixed precision, got an adapter without it ' +
      `(${gpu.adapter.description}, ${gpu.adapter.backend}); set engine.precision to fp32, or use another --backend`,
  );
  gpu.allocator.free(view);
});

import { assert, assertEquals } from "@std/assert";
import type { Precision } from "../../../src/engine/compile/storage.ts";
import { joinGradients } from "../../../src/engine/compile/joined_gradients.ts";
import { compile, type Write } from "../../../src/engine/compile/program.ts";
import { evaluate } from "../../../src/engine/compile/reference.ts";
import type { Gpu } from "../../../src/engine/gpu/device.ts";
import type { DeviceTraits } from "../../../src/engine/gpu/kernel.ts";
import { readFloats } from "../../../src/engine/gpu/readback.ts";
import { replay } from "../../../src/engine/gpu/recorder.ts";
import { gradients } from "../../../src/engine/graph/gradients.ts";
import { resident, type Tensor } from "../../../src/engine/graph/tensor.ts";
import { conv2d } from "../../../src/engine/ops/conv2d.ts";
import { add, mul, relu } from "../../../src/engine/ops/elementwise.ts";
import { matmul } from "../../../src/engine/ops/matmul.ts";
import { sum } from "../../../src/engine/ops/reduce.ts";
import { reshape } from "../../../src/engine/ops/shape.ts";
import { assertClose } from "../../support/close.ts";
import { openShared } from "../../support/devices.ts";
import { fillInput, testRandom } from "../../support/values.ts";

/** Two convolutions and a dense layer with biases, by name of the parameter. */
const PARAMETERS: Readonly<Record<string, readonly number[]>> = {
  "first/weight": [3, 3, 3, 8],
  "first/bias": [8],
  "second/weight": [3, 3, 8, 16],
  "second/bias": [16],
  "head/weight": [256, 10],
  "head/bias": [10],
};
const IMAGES = [3, 8, 8, 3], COTANGENT = [3, 10];

/** Numbers from the start of one parameter's gradient to that of the next, in a store. */
const blocksOf = (shape: readonly number[]) => 64 * Math.ceil(shape.reduce((a, b) => a * b, 1) / 64);

function network() {
  const tensors = Object.fromEntries(
    Object.entries({ x: IMAGES, ...PARAMETERS }).map(([name, shape]) => [name, resident(name, shape, "f32")]),
  );
  const layer = (x: Tensor, name: string, stride: number) =>
    relu(add(conv2d(x, tensors[`${name}/weight`], { padding: 1, stride }), tensors[`${name}/bias`]));
  const h = reshape(layer(layer(tensors.x, "first", 1), "second", 2), [3, 256]);
  const y = add(matmul(h, tensors["head/weight"]), tensors["head/bias"]);
  const loss = sum(mul(y, resident("dy", COTANGENT, "f32")));
  const names = Object.keys(PARAMETERS);
  return { names, grads: gradients(loss, names.map((name) => tensors[name])) };
}

interface Setting {
  /** Names of parameters as their gradients lie, one behind the other. */
  readonly order: readonly string[];
  readonly software?: boolean;
  readonly precision?: Precision;
  /** Gradients that leave the program, too. */
  readonly kept?: readonly string[];
}

/** Checks the gradients against the reference and counts the dispatches that only sum or copy. */
async function run(own: Gpu, { order, software = false, precision = "fp32", kept = [] }: Setting) {
  const gpu = { ...own, traits: { ...own.traits, software } };
  const random = testRandom("joined gradients");
  const shapes = { x: IMAGES, ...PARAMETERS, dy: COTANGENT };
  const feeds = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, Float32Array.from(fillInput({ shape }, random))]),
  );
  const { names, grads } = network();
  const buffers = Object.fromEntries(
    Object.entries(feeds).map(([name, values]) => [name, gpu.allocator.upload(name, values)]),
  );
  const total = names.reduce((sum, name) => sum + blocksOf(PARAMETERS[name]), 0);
  const target = gpu.allocator.upload("gradients", new Float32Array(total + 64).fill(7));
  let offset = 0;
  const places = new Map(order.map((name) => {
    const place = { ...target, offset: 4 * offset, size: 4 * blocksOf(PARAMETERS[name]) };
    offset += blocksOf(PARAMETERS[name]);
    return [name, place];
  }));
  const writes: Write[] = names.map((name, k) => ({ tensor: grads[k], into: places.get(name)! }));
  const program = await compile(gpu, {
    label: "joined",
    precision,
    writes,
    outputs: Object.fromEntries(kept.map((name) => [name, grads[names.indexOf(name)]])),
    memory: ({ name }) => buffers[name],
  });
  replay(gpu, program.dispatches);
  const tolerance = { slack: precision === "mixed" ? 1 << 15 : 64, terms: 192 };
  const got = await readFloats(gpu, target, total + 64);
  for (const [k, values] of evaluate(grads, feeds).entries()) {
    const begin = places.get(names[k])!.offset / 4;
    assertClose(got.slice(begin, begin + values.length), values, tolerance, names[k]);
  }
  assert(got.slice(total).every((value) => value === 7), "nothing behind is written");
  const dispatches = program.dispatches.map(({ name }) => name);
  program.destroy();
  for (const view of [...Object.values(buffers), target]) gpu.allocator.free(view);
  const sums = dispatches.filter((name) => name.startsWith("reduce/")).length;
  return { sums, copies: dispatches.filter((name) => name === "fused/broadcastTo").length, got };
}

/** How many of a convolution's two gradients are parts of a common tensor, where they are written one behind the other. */
function joinedOf(shape: readonly number[], out: number, device: DeviceTraits): number {
  const x = resident("x", shape, "f32"), bias = resident("bias", [out], "f32");
  const weight = resident("weight", [3, 3, shape[3], out], "f32");
  const grads = gradients(sum(add(conv2d(x, weight, { padding: 1 }), bias)), [weight, bias]);
  const buffer = {} as GPUBuffer;
  const writes = [
    { tensor: grads[0], into: { buffer, offset: 256, size: 36 * shape[3] * out } },
    { tensor: grads[1], into: { buffer, offset: 256 + 36 * shape[3] * out, size: 4 * out } },
  ];
  return joinGradients(writes, [], device).filter(({ tensor }, k) => tensor !== grads[k]).length;
}

Deno.test("joinGradients() leaves alone a gradient that has a faster kernel by itself, and channels not in fours", () => {
  const device = {
    software: false,
    features: new Set<string>(),
    maxWorkgroupBytes: 49_152,
    maxBufferBytes: 2 ** 31,
  };
  assertEquals(joinedOf([64, 32, 32, 64], 64, { ...device, software: true }), 0);
  assertEquals(joinedOf([64, 32, 32, 32], 32, device), 2);
  assertEquals(joinedOf([512, 32, 32, 256], 256, device), 0);
  assertEquals(joinedOf([64, 8, 8, 64], 6, device), 0);
});

const NAMES = Object.keys(PARAMETERS);

// One device suffices: the conformance suite runs the kernels on all, and compiling those of GPUs takes SwiftShader minutes.
Deno.test("joinGradients() computes biases that follow their weights with these, on a GPU", async () => {
  const gpu = (await openShared("native"))!;
  const { sums, copies, got } = await run(gpu, { order: NAMES });
  assertEquals({ sums, copies }, { sums: 0, copies: 0 });
  assertEquals((await run(gpu, { order: NAMES })).got, got, "the same bits again");
});

Deno.test("joinGradients() does so in mixed precision", async () => {
  const gpu = (await openShared("native"))!;
  if (!gpu.traits.features.has("shader-f16")) return;
  const { sums, copies } = await run(gpu, { order: NAMES, precision: "mixed" });
  assertEquals({ sums, copies }, { sums: 0, copies: 0 });
});

Deno.test("joinGradients() leaves apart what lies otherwise, leaves the program or runs on a CPU", async () => {
  const gpu = (await openShared("native"))!;
  for (const setting of [{ order: NAMES.toReversed() }, { order: NAMES, software: true }]) {
    const { sums, copies } = await run(gpu, setting);
    assert(sums >= 3 && copies === 0, `${sums} sums, ${copies} copies`);
  }
  // The head's two are left.
  const { sums, copies } = await run(gpu, { order: NAMES, kept: ["first/bias", "second/weight"] });
  assert(sums >= 2 && copies === 2, `${sums} sums, ${copies} copies`);
});

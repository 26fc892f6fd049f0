/** What every WebGPU implementation must do for the engine. Web APIs only: pages run it, too. */
import { compile } from "../../src/engine/compile/program.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { GpuError } from "../../src/engine/gpu/errors.ts";
import type { Dispatch } from "../../src/engine/gpu/kernel.ts";
import { read, readFloats, settled } from "../../src/engine/gpu/readback.ts";
import { bind, replay } from "../../src/engine/gpu/recorder.ts";
import { resident } from "../../src/engine/graph/tensor.ts";
import { exp, mul, tanh } from "../../src/engine/ops/elementwise.ts";
import { matmul } from "../../src/engine/ops/matmul.ts";
import { softmax } from "../../src/engine/ops/loss.ts";
import { sum } from "../../src/engine/ops/reduce.ts";
import { allCases } from "../cases/all.ts";
import { checkGradients, checkVariants, isDifferentiable } from "../support/case_checks.ts";
import { expectEqual, expectFailure, expectTrue } from "../support/expect.ts";
import { checkHalves } from "../support/half_checks.ts";
import { type ForeignKernels, halfChecksOf, kernelsToCheck } from "../support/kernel_plan.ts";
import { checkFollowedProduct, followedProducts } from "../support/product_checks.ts";
import { trainTinyCnn } from "../support/tiny_training.ts";
import { fillInput, testRandom } from "../support/values.ts";

/** What a check runs on. */
export interface DeviceUnderTest {
  /** A device that all checks share. */
  readonly gpu: Gpu;
  /** Opens another device, which the check destroys. */
  open(): Promise<Gpu>;
  readonly foreignKernels: ForeignKernels;
}

export interface DeviceCheck {
  readonly name: string;
  run(device: DeviceUnderTest): void | Promise<void>;
}

/** Adds `BY` to four numbers. */
function addition(by: number, source = ADD): Dispatch {
  return {
    name: "test/add",
    source,
    constants: { BY: by },
    operands: [{ input: 0 }, "output"],
    workgroups: [1, 1, 1],
  };
}

const ADD = `override BY: f32 = 1.0;
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(1)
fn main() { y[0] = x[0] + BY; }
`;

const COPY = `@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(2)
fn main(@builtin(local_invocation_index) lane: u32) { y[lane] = x[lane]; }
`;

/** A program with a matrix product, a reduction and fused element-wise chains, and its input. */
async function smallProgram(gpu: Gpu) {
  const x = resident("x", [17, 12], "f32");
  const y = softmax(tanh(matmul(mul(x, 0.5), exp(x), { transposeA: true })));
  const values = Float32Array.from(fillInput({ shape: x.shape }, testRandom("small program")));
  const input = gpu.allocator.upload("x", values);
  const program = await compile(gpu, {
    label: "small",
    outputs: { y, total: sum(mul(y, y), [0]) },
    memory: () => input,
  });
  return {
    async run(): Promise<number[]> {
      replay(gpu, program.dispatches);
      const bits = await Promise.all([
        read(gpu, program.outputs.y, 12 * 12 * 4),
        read(gpu, program.outputs.total, 12 * 4),
      ]);
      return bits.flatMap((bytes) => [...new Uint32Array(bytes)]);
    },
    destroy() {
      program.destroy();
      gpu.allocator.free(input);
    },
  };
}

const engineChecks: readonly DeviceCheck[] = [
  {
    name: "opens and describes itself",
    run({ gpu }) {
      const { adapter, traits, device } = gpu;
      const words = [adapter.vendor, adapter.architecture, adapter.device, adapter.description];
      expectTrue(words.every((word) => typeof word === "string") && words.join("") !== "", `named: ${words}`);
      expectEqual(traits.software, adapter.software, "software");
      expectEqual([...traits.features], adapter.features, "features");
      expectTrue(
        adapter.features.every((name) => device.features.has(name as GPUFeatureName)),
        `granted: ${adapter.features}`,
      );
      const { limits } = device;
      expectTrue(
        limits.maxStorageBuffersPerShaderStage >= 8 && limits.maxComputeInvocationsPerWorkgroup >= 256 &&
          traits.maxWorkgroupBytes >= 16_384 && limits.maxStorageBufferBindingSize >= 2 ** 27,
        "the device has at least WebGPU's default limits",
      );
      gpu.check();
    },
  },
  {
    name: "buffers are labelled, zeroed and counted, and freeing returns their bytes",
    async run({ gpu, open }) {
      const before = gpu.allocator.liveBytes;
      const view = gpu.allocator.storage("weights", 100);
      expectEqual([view.buffer.label, view.offset, view.size], ["weights", 0, 112], "label and size");
      expectEqual(view.buffer.size, 112, "size of the buffer");
      expectEqual(gpu.allocator.liveBytes - before, 112, "live bytes");
      expectTrue(gpu.allocator.peakBytes >= before + 112, "peak bytes");
      expectEqual([...await readFloats(gpu, view, 28)], Array(28).fill(0), "first values");
      gpu.allocator.free(view);
      gpu.allocator.free(view);
      expectEqual(gpu.allocator.liveBytes, before, "live bytes at the end");
      const other = await open();
      other.allocator.storage("a", 1000);
      other.allocator.upload("b", new Uint32Array(10));
      expectEqual(other.allocator.liveBytes, 1008 + 48, "live bytes of the other device");
      other.destroy();
      expectEqual(other.allocator.liveBytes, 0, "live bytes of a destroyed device");
      other.check();
    },
  },
  {
    name: "a buffer beyond the device's limits is an error with sizes and cure",
    async run({ gpu }) {
      const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
      const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
      const before = gpu.allocator.liveBytes;
      await expectFailure(
        () => gpu.allocator.storage("huge", limit + 16),
        GpuError,
        new RegExp(
          `^buffer "huge": want ${Math.ceil((limit + 16) / 16) * 16} bytes, .* ${limit}; use a smaller`,
        ),
      );
      expectEqual(gpu.allocator.liveBytes, before, "live bytes");
      gpu.check();
    },
  },
  {
    name: "reads back any number of bytes from any view",
    async run({ gpu }) {
      const data = Uint32Array.from({ length: 256 }, (_, i) => 0x01010101 * (i % 251));
      const view = gpu.allocator.upload("bytes", data);
      const bytes = new Uint8Array(data.buffer);
      for (const count of [1, 2, 3, 4, 5, 17, 30, 1021, 1024]) {
        expectEqual(
          [...new Uint8Array(await read(gpu, view, count))],
          [...bytes.slice(0, count)],
          `${count}`,
        );
      }
      const tail = { ...view, offset: 512, size: 512 };
      const both = await Promise.all([read(gpu, tail, 7), read(gpu, view, 9)]);
      const want = [bytes.slice(512, 519), bytes.slice(0, 9)];
      expectEqual(both.map((b) => [...new Uint8Array(b)]), want.map((b) => [...b]), "two at once");
      gpu.allocator.free(view);
    },
  },
  {
    name: "compiles a kernel once, and again for other constants",
    async run({ gpu }) {
      const before = gpu.pipelines.size;
      const x = gpu.allocator.upload("x", Float32Array.of(1, 2, 3, 4));
      const y = gpu.allocator.storage("y", 16);
      const [first, second] = await Promise.all([0.25, 0.25].map((by) => gpu.pipelines.get(addition(by))));
      expectTrue(first === second, "the same text is the same pipeline");
      expectEqual(gpu.pipelines.size - before, 1, "kernels compiled");
      for (const by of [0.25, -1]) {
        replay(gpu, [await bind(gpu, addition(by), [x, y])]);
        expectEqual([...await readFloats(gpu, y, 4)], [1, 2, 3, 4].map((v) => v + by), `x + ${by}`);
      }
      expectEqual(gpu.pipelines.size - before, 2, "kernels compiled");
      for (const view of [x, y]) gpu.allocator.free(view);
    },
  },
  {
    name: "a broken kernel is an error with its name and line, and the device goes on",
    async run({ gpu, open }) {
      const wrong: [text: string, line: number][] = [["x[0] + missing", 5], ["x[0] + ;", 5], ["1u", 5]];
      for (const [text, line] of wrong) {
        await expectFailure(
          () => gpu.pipelines.get(addition(1, ADD.replace("x[0] + BY", text))),
          GpuError,
          new RegExp(`^kernel test/add: WGSL line ${line}: \\S`),
        );
      }
      await settled(gpu);
      const other = await open();
      await other.pipelines.get(addition(1));
      await settled(other);
      other.destroy();
    },
  },
  {
    name:
      "numbers stored as halves are rounded, infinite beyond 65504, and NaN where they were, where the device has f16",
    async run({ gpu }) {
      if (!gpu.traits.features.has("shader-f16")) return;
      const numbers = [1 / 3, -65504, 70000, -1e9, Infinity, NaN, 2 ** -20, 0.1];
      const x = gpu.allocator.upload("x", Float32Array.from(numbers));
      const halves = { ...gpu.allocator.storage("halves", 16), stored: "f16" as const };
      const y = gpu.allocator.storage("y", 32);
      const copy = { ...addition(0, COPY), constants: {} };
      replay(gpu, [await bind(gpu, copy, [x, halves]), await bind(gpu, copy, [halves, y])]);
      expectEqual([...await readFloats(gpu, y, 8)], numbers.map(Math.f16round), "through halves");
      for (const view of [x, halves, y]) gpu.allocator.free(view);
    },
  },
  {
    name: "one buffer written and bound twice is refused",
    async run({ gpu }) {
      const x = gpu.allocator.storage("x", 16);
      await expectFailure(
        () => bind(gpu, addition(1), [x, x]),
        Error,
        /kernel test\/add binds one buffer at 1 \(written\) and at 0/,
      );
      gpu.allocator.free(x);
      await settled(gpu);
    },
  },
  {
    name: "an error that the device reports later is thrown once, by the next check",
    async run({ open }) {
      const gpu = await open();
      gpu.device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
      await expectFailure(() => settled(gpu), GpuError, /^WebGPU \((native|dawn|browser)\): \S/);
      await settled(gpu);
      gpu.destroy();
    },
  },
  {
    name: "a program gives the same bits each time, compiled afresh and on another device",
    async run({ gpu, open }) {
      const before = gpu.allocator.liveBytes;
      const program = await smallProgram(gpu);
      const first = await program.run();
      expectTrue(first.some((bits) => bits !== 0), "the program computed something");
      expectEqual(await program.run(), first, "second run");
      const fresh = await smallProgram(gpu);
      expectEqual(await fresh.run(), first, "compiled afresh");
      expectEqual(await fresh.run(), first, "compiled afresh, second run");
      expectEqual(await program.run(), first, "third run of the first");
      for (const owned of [program, fresh]) owned.destroy();
      expectEqual(gpu.allocator.liveBytes, before, "live bytes at the end");
      const other = await open();
      expectEqual(await (await smallProgram(other)).run(), first, "another device");
      other.destroy();
    },
  },
  {
    name: "training lowers the loss, the same bits each time",
    async run({ gpu }) {
      const before = gpu.allocator.liveBytes;
      const first = await trainTinyCnn(gpu, 20);
      const { losses } = first;
      expectTrue(
        losses.every(Number.isFinite) && losses.at(-1)! < 0.7 * losses[0],
        `want a loss that falls by 30 %, got ${losses}`,
      );
      const second = await trainTinyCnn(gpu, 20);
      expectEqual(second.losses, losses, "losses");
      expectEqual([...second.weights], [...first.weights], "weights");
      expectEqual(gpu.allocator.liveBytes, before, "live bytes at the end");
    },
  },
];

/** How many cases run at once: compilers and devices that can, overlap them. */
const AT_ONCE = 4;

/** Runs a check of every case and reports all that fail. */
async function forAll<T>(cases: readonly T[], check: (one: T) => Promise<void>): Promise<void> {
  const waiting = cases.values();
  const failures: string[] = [];
  const worker = async () => {
    for (const opCase of waiting) {
      await check(opCase).catch((error: Error) => failures.push(error.message));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (failures.length > 0) throw new Error(failures.join("\n"));
}

/** Three checks an op: its kernels, those kernels with operands stored as halves, and the kernels of its gradient. */
const opChecks: readonly DeviceCheck[] = [...new Set(allCases.map(({ op }) => op))].flatMap((op) => {
  const cases = allCases.filter((opCase) => opCase.op === op);
  const differentiable = cases.filter(isDifferentiable);
  const checks: DeviceCheck[] = [{
    name: `${op}: every case equals its reference, in every variant`,
    run({ gpu, foreignKernels }) {
      const kernels = kernelsToCheck(cases, gpu.traits, foreignKernels);
      return forAll(cases, (opCase) => checkVariants(gpu, opCase, kernels.get(opCase)!));
    },
  }, {
    name:
      `${op}: every variant equals its reference with operands stored as halves, where the device has f16`,
    run({ gpu }) {
      if (!gpu.traits.features.has("shader-f16")) return;
      return forAll(
        halfChecksOf(cases, gpu.traits),
        ({ opCase, choice, storage }) => checkHalves(gpu, opCase, choice, storage),
      );
    },
  }];
  if (differentiable.length > 0) {
    checks.push({
      name: `${op}: every gradient equals its reference`,
      run: ({ gpu }) => forAll(differentiable, (opCase) => checkGradients(gpu, opCase)),
    });
  }
  return checks;
});

const productCheck: DeviceCheck = {
  name: "products in all forms, with what follows them in one dispatch, equal their reference",
  run({ gpu, foreignKernels }) {
    const foreign = { ...gpu, traits: { ...gpu.traits, software: !gpu.traits.software } };
    const halves = gpu.traits.features.has("chromium-experimental-subgroup-matrix");
    return forAll([...followedProducts.entries()], async ([k, product]) => {
      await checkFollowedProduct(gpu, product, false);
      if (halves) await checkFollowedProduct(gpu, product, true);
      // There are four epilogues: here each of eight forms has one.
      const one = k % 4 === Math.floor(k / 4) % 4;
      if (foreignKernels === "every case" && one) await checkFollowedProduct(foreign, product, false);
    });
  },
};

/** Every check of the suite, in order. */
export const deviceChecks: readonly DeviceCheck[] = [...engineChecks, ...opChecks, productCheck];

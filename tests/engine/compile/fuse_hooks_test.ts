import { assert, assertEquals } from "@std/assert";
import { evaluate } from "../../../src/engine/compile/reference.ts";
import { type ChooseVariant, firstFit, schedule } from "../../../src/engine/compile/schedule.ts";
import type { DeviceTraits } from "../../../src/engine/gpu/kernel.ts";
import { gradients } from "../../../src/engine/graph/gradients.ts";
import { apply, materialise, resident, type Tensor } from "../../../src/engine/graph/tensor.ts";
import { conv2d } from "../../../src/engine/ops/conv2d.ts";
import { add, leakyRelu, mul, relu } from "../../../src/engine/ops/elementwise.ts";
import { matmul } from "../../../src/engine/ops/matmul.ts";
import { batchNorm } from "../../../src/engine/ops/norm.ts";
import { maxPool2d } from "../../../src/engine/ops/pool.ts";
import { sum } from "../../../src/engine/ops/reduce.ts";
import { reshape } from "../../../src/engine/ops/shape.ts";
import { opTable } from "../../../src/engine/ops/table.ts";
import { allCases } from "../../cases/all.ts";
import { choicesOf, instantiate } from "../../support/case_checks.ts";
import { assertClose } from "../../support/close.ts";
import { onEachDevice } from "../../support/devices.ts";
import { runGraph } from "../../support/run_graph.ts";
import { fillInput, testRandom } from "../../support/values.ts";

const software: DeviceTraits = {
  software: true,
  features: new Set(),
  maxWorkgroupBytes: 16_384,
  maxBufferBytes: 2 ** 27,
};
const names = (...outputs: Tensor[]) =>
  schedule(outputs, software, firstFit).map(({ lowering }) => lowering.dispatches.at(-1)!.name);

const x = resident("x", [2, 4, 4, 4], "f32"), w = resident("w", [3, 3, 4, 8], "f32");
const bias = resident("bias", [8], "f32");
const h = () => conv2d(x, w, { padding: 1 });

Deno.test("A kernel takes in bias, activation and residual that follow it", () => {
  const residual = resident("r", [2, 4, 4, 8], "f32");
  assertEquals(names(relu(add(h(), bias))), ["conv2d/strip3+add-relu"]);
  assertEquals(names(relu(add(add(h(), bias), residual))), ["conv2d/strip3+add-add-relu"]);
  const scale = resident("scale", [8], "f32");
  assertEquals(names(add(batchNorm(h(), scale, bias), residual)).slice(-1), ["norm/normalize4+add"]);
});

Deno.test("A reshape between a kernel and what follows it changes nothing", () => {
  const flat = resident("flat", [2, 128], "f32");
  assertEquals(names(relu(add(reshape(h(), [2, 128]), flat))), ["conv2d/strip3+add-relu"]);
  const column = resident("column", [2, 1], "f32");
  assertEquals(names(reshape(add(reshape(h(), [2, 128]), column), [256])), ["conv2d/strip3+add"]);
});

Deno.test("A result that is materialised, returned, read twice or broadcast stays in memory", () => {
  const shown = h();
  assertEquals(names(relu(materialise(h()))), ["conv2d/strip3", "fused/relu"]);
  assertEquals(names(relu(materialise(reshape(h(), [256])))), ["conv2d/strip3", "fused/relu"]);
  assertEquals(names(shown, relu(shown)), ["conv2d/strip3", "fused/relu"]);
  const pooled = h();
  assertEquals(names(relu(pooled), maxPool2d(pooled, { kernel: 2, stride: 2 })), [
    "conv2d/strip3",
    "fused/relu",
    "pool/max4",
  ]);
  assertEquals(names(add(sum(x, [0, 1, 2], true), x)), ["reduce/serial4", "fused/add"]);
});

Deno.test("Of two kernels that meet, the later one computes their sum", () => {
  const dense = matmul(resident("a", [4, 8], "f32"), resident("b", [8, 64], "f32"));
  const images = resident("images", [1, 4, 8, 4], "f32");
  const other = reshape(conv2d(images, w, { padding: 1 }), [4, 64]);
  const [first, second, ...more] = names(add(dense, other));
  assert(/^matmul\/\w+$/.test(first), first);
  assertEquals([second, ...more], ["conv2d/strip3+add"]);
});

Deno.test("A kernel that has no room for what the consumer reads leaves it alone", () => {
  const others = Array.from({ length: 6 }, (_, k) => resident(`o${k}`, [2, 4, 4, 8], "f32"));
  const total = (count: number) => others.slice(0, count).reduce((a, b) => add(a, b), h());
  assertEquals(names(total(5)), ["conv2d/strip3+add-add-add-add-add"]);
  assertEquals(names(total(6)), ["conv2d/strip3", "fused/add-add-add-add-add-add"]);
});

Deno.test("A convolution with bias and ReLU is one kernel, and its gradient asks the activation alone", () => {
  const v = resident("v", [3, 3, 8, 8], "f32"), dy = resident("dy", [2, 4, 4, 8], "f32");
  const y = relu(add(conv2d(relu(add(h(), bias)), v, { padding: 1 }), bias));
  const kernels = names(y, ...gradients(sum(mul(y, dy)), [w, v]));
  assertEquals(kernels.filter((name) => name.startsWith("conv2d/strip3")), [
    "conv2d/strip3+add-relu",
    "conv2d/strip3+add-relu",
    "conv2d/strip3+gate",
  ]);
});

Deno.test("A sum takes in the element-wise group that it alone reads", () => {
  const f = resident("f", [2, 4, 4, 4], "f32"), g = resident("g", [4], "f32");
  assertEquals(names(sum(mul(x, f), [0, 1, 2])), ["reduce/serial4(mul)"]);
  assertEquals(names(sum(reshape(mul(x, g), [32, 4]), [0])), ["reduce/serial4(mul)"]);
  assertEquals(names(relu(sum(mul(x, f), [0, 1, 2]))), ["reduce/serial4(mul)+relu"]);
  const product = mul(x, f);
  assertEquals(names(sum(product, [0, 1, 2]), product), ["fused/mul", "reduce/serial4"]);
  assertEquals(names(sum(materialise(mul(x, f)), [0, 1, 2])), ["fused/mul", "reduce/serial4"]);
  const odd = resident("odd", [2, 4, 4, 1], "f32");
  assertEquals(names(sum(mul(x, odd), [3])), ["reduce/serial4(mul)"]);
});

/** An op's result, as its consumers would have it: with what follows joined to the kernel, or not. */
function followed(y: Tensor, joined: boolean): Tensor {
  const beside = resident("beside", y.shape, "f32"), channel = resident("channel", y.shape.slice(-1), "f32");
  return leakyRelu(add(mul(joined ? y : materialise(y), channel), beside), 0.25);
}

const followable = allCases.filter(({ op, inputs }) => {
  const { lower } = opTable[op];
  return typeof lower === "object" && !("wgsl" in lower) && op !== "randomBits" && op !== "groupStats" &&
    inputs.every(({ dtype }) => dtype !== "u32" || op !== "gather");
});

onEachDevice("Every kernel computes the same with and without what follows it", async (gpu) => {
  const joined = new Set<string>();
  for (const opCase of followable) {
    const make = instantiate(opCase);
    if (make.output.dtype !== "f32") continue;
    const random = testRandom(`${opCase.name} followed`);
    const feeds = {
      ...make.feeds,
      beside: fillInput({ shape: make.output.shape }, random),
      channel: fillInput({ shape: make.output.shape.slice(-1) }, random),
    };
    const together = followed(make.output, true), apart = followed(instantiate(opCase).output, false);
    const [want] = evaluate([together], feeds);
    for (const { id, traits, first } of choicesOf(opCase, gpu.traits)) {
      // Drivers that run on a CPU take minutes over the kernels for GPUs.
      if (traits !== gpu.traits || (traits.software && /^tiled\d/.test(id) && !first)) continue;
      const choose: ChooseVariant = (op, variants, call, device) =>
        op === opCase.op ? variants.find((v) => v.id === id)! : firstFit(op, variants, call, device);
      const dispatches = schedule([together], traits, choose).flatMap(({ lowering }) => lowering.dispatches);
      const kernel = dispatches.find(({ name }) => name.includes("+"));
      // What joins no kernel is tested elsewhere; a kernel that was seen with this file's hook is one of many shapes.
      if (!kernel || joined.has(`${kernel.name} ${id}`)) continue;
      joined.add(`${kernel.name} ${id}`);
      const tolerance = { slack: 4 * (opCase.slack ?? 16), terms: opCase.terms ?? 1 };
      const what = `${opCase.name} (${id})`;
      const [got] = await runGraph({ ...gpu, traits }, [together], feeds, choose);
      assertClose(got, want, tolerance, what);
      const [separate] = await runGraph({ ...gpu, traits }, [apart], feeds, choose);
      assertClose(got, separate, tolerance, `${what} against separate kernels`);
      const [again] = await runGraph({ ...gpu, traits }, [together], feeds, choose);
      assertEquals(again, got, `${what} again`);
    }
  }
  const families = new Set([...joined].map((name) => name.split("/")[0]));
  assert(joined.size >= 20, `${joined.size} kernels have hooks: ${[...joined].join(", ")}`);
  assertEquals([...families].sort(), [
    "conv2d",
    "gather",
    "loss",
    "matmul",
    "norm",
    "pool",
    "reduce",
    "segment",
  ]);
});

/** Shapes that a kernel is tried with. */
const SHAPES = 4;

onEachDevice(
  "Every reduction computes the same of what it computes itself as of what it reads",
  async (gpu) => {
    const joined = new Map<string, number>();
    for (const opCase of allCases.filter(({ op }) => op === "sum" || op === "max")) {
      const { feeds, inputs: [input] } = instantiate(opCase);
      const random = testRandom(`${opCase.name} before`);
      const shape = input.shape;
      const all = {
        ...feeds,
        beside: fillInput({ shape }, random),
        channel: fillInput({ shape: shape.slice(-1) }, random),
      };
      const reduced = (joined: boolean) => {
        const beside = resident("beside", shape, "f32"),
          channel = resident("channel", shape.slice(-1), "f32");
        const y = add(mul(input, channel), beside);
        return apply(opTable[opCase.op], [joined ? y : materialise(y)], opCase.attrs ?? {});
      };
      for (const { id, traits } of choicesOf(opCase, gpu.traits)) {
        const choose: ChooseVariant = (op, variants, call, device) =>
          op === opCase.op ? variants.find((v) => v.id === id)! : firstFit(op, variants, call, device);
        const tasks = schedule([reduced(true)], traits, choose);
        // Four elements at once cross the end of a row that is no multiple of four.
        if (tasks.length > 1 && shape.at(-1)! % 4 !== 0) continue;
        assertEquals(tasks.length, 1, opCase.name);
        const { name } = tasks[0].lowering.dispatches[0];
        joined.set(name, (joined.get(name) ?? 0) + 1);
        if (joined.get(name)! > SHAPES) continue;
        const [got] = await runGraph({ ...gpu, traits }, [reduced(true)], all, choose);
        const [want] = await runGraph({ ...gpu, traits }, [reduced(false)], all, choose);
        assertClose(got, want, { slack: 16, terms: opCase.terms ?? 1 }, `${opCase.name} (${id})`);
      }
    }
    assertEquals(
      [...joined.keys()].sort(),
      ["group", "group4", "serial", "serial4"].map((kernel) => `reduce/${kernel}(mul-add)`),
    );
  },
);

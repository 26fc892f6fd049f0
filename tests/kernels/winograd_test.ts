import { assert, assertEquals } from "@std/assert";
import { evaluate } from "../../src/engine/compile/reference.ts";
import { type ChooseVariant, firstFit, schedule } from "../../src/engine/compile/schedule.ts";
import type { Call, DeviceTraits, Variant } from "../../src/engine/gpu/kernel.ts";
import { apply, resident } from "../../src/engine/graph/tensor.ts";
import { conv2d } from "../../src/engine/ops/conv2d.ts";
import { add, relu } from "../../src/engine/ops/elementwise.ts";
import { opTable } from "../../src/engine/ops/table.ts";
import { sizeOf } from "../../src/util/shape.ts";
import { assertClose } from "../support/close.ts";
import { onEachDevice } from "../support/devices.ts";
import { runGraph } from "../support/run_graph.ts";
import { fillInput, testRandom } from "../support/values.ts";

const device: DeviceTraits = {
  software: false,
  features: new Set(),
  maxWorkgroupBytes: 49_152,
  maxBufferBytes: 2 ** 32,
};

type Pass = "conv2d" | "conv2dInputGradient" | "conv2dWeightGradient";
const passes: readonly Pass[] = ["conv2d", "conv2dInputGradient", "conv2dWeightGradient"];

interface Layer {
  readonly batch: number;
  readonly size: number;
  readonly channels: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly stored?: "f16";
}

/** A pass of a convolution of square images that keeps the number of channels. */
function callOf(pass: Pass, { batch, size, channels, kernel = 3, stride = 1, stored }: Layer): Call {
  const out = Math.ceil(size / stride);
  const tensor = (shape: number[]) => ({ shape, dtype: "f32" as const, ...stored && { stored } });
  const x = tensor([batch, size, size, channels]), y = tensor([batch, out, out, channels]);
  const w = tensor([kernel, kernel, channels, channels]);
  const attrs = { stride, padding: kernel >> 1, groups: 1 };
  if (pass === "conv2d") return { inputs: [x, w], output: y, attrs };
  if (pass === "conv2dInputGradient") {
    return { inputs: [y, w], output: x, attrs: { ...attrs, input: [size, size] } };
  }
  return { inputs: [x, y], output: w, attrs: { ...attrs, kernel: [kernel, kernel] } };
}

const variantsOf = (pass: Pass) => opTable[pass].lower as readonly Variant[];

function defaultOf(pass: Pass, layer: Layer, traits: DeviceTraits = device): string {
  return firstFit(pass, variantsOf(pass), callOf(pass, layer), traits).id;
}

const wide: readonly Layer[] = [[32, 64], [16, 128], [8, 256], [4, 512]].map(([size, channels]) => {
  return { batch: 512, size, channels };
});

Deno.test("winogradVariants() are taken where the layers are wide and the images many", () => {
  for (const pass of passes) {
    for (const layer of wide) assertEquals(defaultOf(pass, layer), "winograd", JSON.stringify(layer));
  }
});

Deno.test("winogradVariants() are not taken where transforms cost more than they save, or do not apply", () => {
  const [, , layer] = wide;
  const others: Layer[] = [
    { batch: 512, size: 32, channels: 16 },
    { batch: 64, size: 32, channels: 32 },
    { ...layer, kernel: 1 },
    { ...layer, kernel: 5 },
    { ...layer, stride: 2 },
    { ...layer, stored: "f16" },
  ];
  for (const pass of passes) {
    for (const other of others) assertEquals(defaultOf(pass, other), "tiled", JSON.stringify(other));
    assert(!defaultOf(pass, layer, { ...device, software: true }).startsWith("winograd"));
  }
});

Deno.test("winogradVariants() need buffers for their planes", () => {
  const layer = { batch: 512, size: 32, channels: 64 };
  for (const pass of passes) {
    const call = callOf(pass, layer);
    const fitting = (maxBufferBytes: number) =>
      variantsOf(pass).filter((one) => one.fits(call, { ...device, maxBufferBytes }))
        .map(({ id }) => id).filter((id) => id.startsWith("winograd"));
    assertEquals(fitting(2 ** 32), ["winograd", "winograd4x4", "winograd2x2"]);
    // 36 numbers for 16 pixels, 16 for 4.
    assertEquals(fitting(2.25 * 4 * sizeOf(call.inputs[0].shape)), ["winograd", "winograd4x4"]);
    assertEquals(fitting(2 ** 27), []);
    for (const id of ["winograd", "winograd2x2"]) {
      const { scratchBytes } = variantsOf(pass).find((one) => one.id === id)!.lower(call, device);
      assertEquals(scratchBytes[0], (id === "winograd" ? 2.25 : 4) * 4 * sizeOf(call.inputs[0].shape));
    }
  }
});

Deno.test("winogradVariants() plan the same each time", () => {
  for (const pass of passes) {
    const call = callOf(pass, wide[1]);
    const { lower } = variantsOf(pass).find(({ id }) => id === "winograd")!;
    assertEquals(lower(call, device), lower(call, device));
  }
});

onEachDevice("Winograd's last transform takes in what follows the convolution", async (gpu) => {
  const x = resident("x", [2, 6, 5, 4], "f32"), w = resident("w", [3, 3, 4, 8], "f32");
  const bias = resident("bias", [8], "f32"), beside = resident("beside", [2, 6, 5, 8], "f32");
  const y = relu(add(add(conv2d(x, w, { padding: 1 }), bias), beside));
  const random = testRandom("winograd");
  const feeds = Object.fromEntries(
    [x, w, bias, beside].map(({ source, shape }) => [source!.name, fillInput({ shape }, random)]),
  );
  const traits = { ...gpu.traits, software: false };
  const choose: ChooseVariant = (op, variants, call, device) =>
    op === "conv2d" ? variants.find(({ id }) => id === "winograd4x4")! : firstFit(op, variants, call, device);
  const [{ lowering: { dispatches } }, ...more] = schedule([y], traits, choose);
  assertEquals([dispatches.at(-1)!.name, more], ["conv2d/winograd4/result+add-add-relu", []]);
  const [got] = await runGraph({ ...gpu, traits }, [y], feeds, choose);
  assertClose(got, evaluate([y], feeds)[0], { slack: 16, terms: 36 }, "winograd and what follows");
  assertEquals((await runGraph({ ...gpu, traits }, [y], feeds, choose))[0], got, "again");
});

/** F(4×4, 3×3) is less exact than a direct product, but not by much: its points are chosen for that. */
onEachDevice("Winograd's error is within a few roundings of the direct product's", async (gpu) => {
  const traits = { ...gpu.traits, software: false };
  const x = resident("x", [1, 8, 8, 64], "f32"), w = resident("w", [3, 3, 64, 4], "f32");
  const y = apply(opTable.conv2d, [x, w], { stride: 1, padding: 1, groups: 1 });
  const random = testRandom("winograd's error");
  const feeds = { x: fillInput({ shape: x.shape }, random), w: fillInput({ shape: w.shape }, random) };
  const [want] = evaluate([y], feeds);
  for (const [id, slack] of [["winograd4x4", 2], ["winograd2x2", 0.6]] as const) {
    const choose: ChooseVariant = (_, variants) => variants.find((one) => one.id === id)!;
    const [got] = await runGraph({ ...gpu, traits }, [y], feeds, choose);
    assertClose(got, want, { slack, terms: 9 * 64 }, id);
  }
});

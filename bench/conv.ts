// TFLOP/s of the convolutions in a training step of the networks given: forward, input gradient and weight gradient of
// every layer, all kernels that fit (the slowest with --all).
//
//   deno run -A bench/conv.ts [--model small,resnet16,resnet64] [--batch 64,512] [--op forward,input,weight] [--storage f32,f16]
//     [--kernel tiled,winograd4x4] [--backend auto|native|dawn] [--unsafe-gpu] [--all] [--rounds 5] [--seconds 0.05]
//     [--quick] [--json FILE]
//
// --storage is that of activations and their gradients; weights and their gradients are f32, as mixed precision has them.
// The kernel that the engine takes by itself has a star; with --kernel, it and those named are timed, and no others. FLOPs
// are those of the direct sum, whatever a kernel computes. The last table sums up what a step spends on convolutions, with
// those kernels and with the fastest ones.
import { gradients } from "../src/engine/graph/gradients.ts";
import { resident, type Tensor } from "../src/engine/graph/tensor.ts";
import { reachable } from "../src/engine/graph/trace.ts";
import { type Model, TraceScope } from "../src/engine/nn/scope.ts";
import { meanCrossEntropy } from "../src/engine/ops/loss.ts";
import type { OpName } from "../src/engine/ops/names.ts";
import { formatShape } from "../src/util/shape.ts";
import { openForBench } from "./support/device.ts";
import { type KernelCase, timeVariants, type VariantTime } from "./support/kernels.ts";
import { modelNamed } from "./support/models.ts";
import { numbersOf, readOptions } from "./support/options.ts";
import { digits, range, speedColumn, startReport } from "./support/report.ts";

const OPS: Readonly<Record<string, OpName>> = {
  forward: "conv2d",
  input: "conv2dInputGradient",
  weight: "conv2dWeightGradient",
};

const options = readOptions(
  { model: "", batch: "", op: "forward,input,weight", storage: "f32", kernel: "", all: false },
  {
    rounds: 5,
    seconds: 0.05,
  },
);
const gpu = await openForBench(options);
const small = options.quick || gpu.adapter.software;
const report = startReport("Convolutions", options, gpu.adapter);

/** The convolutions of a training step, alike ones together. */
function convolutionsOf(model: Model, batch: number): { node: Tensor; times: number }[] {
  const scope = new TraceScope();
  const logits = model.forward(scope, resident("images", [batch, ...model.input], "f32"));
  const { loss } = meanCrossEntropy(logits, resident("labels", [batch], "u32"));
  const found = new Map<string, { node: Tensor; times: number }>();
  for (const node of reachable(gradients(loss, scope.parameters.map(({ tensor }) => tensor)))) {
    if (!Object.values<string>(OPS).includes(node.op?.name ?? "")) continue;
    const key = `${node} ${node.inputs.map(({ shape }) => formatShape(shape))} ${JSON.stringify(node.attrs)}`;
    found.set(key, { node, times: (found.get(key)?.times ?? 0) + 1 });
  }
  return [...found.values()];
}

/** Which operands are activations or their gradients. */
const ACTIVATIONS: Readonly<Record<string, KernelCase["halves"]>> = {
  forward: { inputs: [true, false], output: true },
  input: { inputs: [true, false], output: true },
  weight: { inputs: [true, true], output: false },
};

type Row = VariantTime & { pass: string; shapes: string; stride: number; times: number };
interface Sum extends Record<string, string | number> {
  model: string;
  batch: number;
  storage: string;
  default: number;
  best: number;
  gflop: number;
}
const sums: Sum[] = [];
const passes = options.own.op.split(",");
const only = options.own.kernel ? options.own.kernel.split(",") : undefined;

async function measure(model: string, batch: number, storage: string): Promise<void> {
  const rows: Row[] = [];
  const sum = { model, batch, storage, default: 0, best: 0, gflop: 0 };
  for (const { node, times } of convolutionsOf(modelNamed(model), batch)) {
    const pass = Object.keys(OPS).find((key) => OPS[key] === node.op!.name)!;
    if (!passes.includes(pass)) continue;
    const inputs = node.inputs.map(({ shape }) => shape);
    const halves = storage === "f16" ? ACTIVATIONS[pass]! : { inputs: [], output: false };
    const kernelCase = { op: OPS[pass], inputs, attrs: node.attrs, halves };
    const measured = await timeVariants(gpu, kernelCase, { ...options, all: options.own.all, only });
    const shapes = `${inputs.map(formatShape).join(" ")} -> ${formatShape(node.shape)}`;
    const stride = Number(node.attrs.stride);
    rows.push(...measured.map((time) => ({ ...time, pass, shapes, stride, times } as Row)));
    sum.default += times * measured.find((time) => time.default)!.ms;
    sum.best += times * Math.min(...measured.map(({ ms }) => ms));
    sum.gflop += times * measured[0].flops / 1e9;
  }
  sums.push(sum);
  report.table(`Convolutions of ${model}, batch ${batch}, ${storage} (* is the default)`, {
    pass: ({ pass }: Row) => pass,
    kernel: (row) => `${row.variant}${row.default ? " *" : ""}`,
    times: ({ times }) => String(times),
    "µs": ({ ms }) => digits(1e3 * ms),
    "p10..p90": ({ p10, p90 }) => range({ p10: 1e3 * p10, p90: 1e3 * p90 }),
    ...speedColumn(gpu.adapter),
    stride: ({ stride }) => String(stride),
    shapes: ({ shapes }) => shapes,
  }, rows);
}

for (const model of (options.own.model || (small ? "small" : "small,resnet16,resnet64")).split(",")) {
  for (const batch of numbersOf(options.own.batch || (options.quick ? "2" : small ? "16" : "64,512"))) {
    for (const storage of options.own.storage.split(",")) await measure(model, batch, storage);
  }
}
report.table("All convolutions of a step", {
  model: ({ model }: Sum) => model,
  batch: ({ batch }) => String(batch),
  storage: ({ storage }) => storage,
  "ms by default": (row) => digits(row.default),
  "ms at best": ({ best }) => digits(best),
  "GFLOP/s by default": (row) => digits(1e3 * row.gflop / row.default),
  "at best": (row) => digits(1e3 * row.gflop / row.best),
}, sums);
report.finish();
gpu.destroy();

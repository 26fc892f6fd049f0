// GB/s of what moves memory more than it computes: element-wise kernels, norms, reductions, pooling, the loss.
//
//   deno run -A bench/memory_bound.ts [--batch 64,512] [--only norm] [--backend auto|native|dawn] [--unsafe-gpu]
//     [--rounds 5] [--seconds 0.05] [--quick] [--json FILE]
//
// Bytes are those that must be moved: each operand read once, the result written once. What stays in the device's cache
// between two dispatches may be read faster than from memory.
import type { Attrs } from "../src/engine/gpu/kernel.ts";
import type { BufferView } from "../src/engine/gpu/allocator.ts";
import { gradients } from "../src/engine/graph/gradients.ts";
import { apply, resident, type Tensor } from "../src/engine/graph/tensor.ts";
import { add, mul, relu } from "../src/engine/ops/elementwise.ts";
import { meanCrossEntropy } from "../src/engine/ops/loss.ts";
import type { OpName } from "../src/engine/ops/names.ts";
import { batchNorm } from "../src/engine/ops/norm.ts";
import { sum } from "../src/engine/ops/reduce.ts";
import { concat, reshape } from "../src/engine/ops/shape.ts";
import { opTable } from "../src/engine/ops/table.ts";
import { type Shape, sizeOf } from "../src/util/shape.ts";
import { openForBench } from "./support/device.ts";
import { timeGraph } from "./support/kernels.ts";
import { numbersOf, readOptions } from "./support/options.ts";
import { randomFloats } from "./support/random.ts";
import { digits, range, startReport } from "./support/report.ts";

const options = readOptions({ batch: "", only: "" }, { rounds: 5, seconds: 0.05 });
const gpu = await openForBench(options);
const small = options.quick || gpu.adapter.software;
const report = startReport("Kernels that are bound by memory", options, gpu.adapter);
const batches = numbersOf(options.own.batch || (small ? "2" : "64,512"));

interface Row extends Record<string, string | number | boolean> {
  readonly what: string;
  readonly ms: number;
  readonly p10: number;
  readonly p90: number;
  readonly dispatches: number;
  readonly bytes: number;
}

const rows: Row[] = [];

/** Times a graph; `floats` is how many numbers it must move. */
async function graph(
  what: string,
  shapes: readonly Shape[],
  trace: (...inputs: Tensor[]) => Tensor,
  floats: number,
): Promise<void> {
  const buffers = shapes.map((shape, k) =>
    gpu.allocator.upload(`in${k}`, randomFloats(sizeOf(shape), k + 1))
  );
  await timed(what, buffers, trace(...shapes.map((shape, k) => resident(`in${k}`, shape, "f32"))), floats);
}

/** Times a graph of what lies in `buffers`, and frees them. */
async function timed(
  what: string,
  buffers: readonly BufferView[],
  output: Tensor,
  floats: number,
): Promise<void> {
  if (!what.includes(options.own.only)) return buffers.forEach((view) => gpu.allocator.free(view));
  const { ms, p10, p90, dispatches } = await timeGraph(gpu, output, buffers, options);
  for (const view of buffers) gpu.allocator.free(view);
  rows.push({ what, ms, p10, p90, dispatches, bytes: 4 * floats });
}

/** Times an op. */
async function kernel(op: OpName, shapes: readonly Shape[], attrs: Attrs, output: Shape): Promise<void> {
  const floats = [...shapes, output].reduce((total, shape) => total + sizeOf(shape), 0);
  await graph(`${op} [${shapes[0]}]`, shapes, (...inputs) => apply(opTable[op], inputs, attrs), floats);
}

/** Times loss, hits and gradient of logits [n, k]. */
async function loss(n: number, k: number): Promise<void> {
  const logits = gpu.allocator.upload("in0", randomFloats(n * k, 1));
  const labels = gpu.allocator.upload("in1", Uint32Array.from({ length: n }, (_, row) => row % k));
  const { scores } = meanCrossEntropy(resident("in0", [n, k], "f32"), resident("in1", [n], "u32"));
  await timed(`meanCrossEntropy [${n},${k}]`, [logits, labels], scores, 2 * n * k);
}

/** Forward and backward of batch norm, with what the gradients are read as in one vector. */
function normStep(x: Tensor, gamma: Tensor, beta: Tensor, dy: Tensor): Tensor {
  const loss = sum(mul(batchNorm(x, gamma, beta), dy));
  const [dx, dGamma, dBeta] = gradients(loss, [x, gamma, beta]);
  return concat([reshape(dx, [-1]), dGamma, dBeta], 0);
}

for (const n of batches) {
  const side = small ? 8 : 32;
  const image: Shape = [n, side, side, small ? 8 : 64];
  const size = sizeOf(image);
  await graph(`element-wise copy [${image}]`, [image], (x) => mul(x, 2), 2 * size);
  await graph(`element-wise add, ReLU [${image}]`, [image, image], (x, y) => relu(add(x, y)), 3 * size);
  await graph(
    `element-wise bias, ReLU [${image}]`,
    [image, [image[3]]],
    (x, b) => relu(add(x, b)),
    2 * size,
  );
  for (const [width, c] of small ? [[8, 8]] : [[32, 16], [32, 64], [16, 128], [8, 256], [4, 512]]) {
    const x = [1, n * width * width, c], stats = [2, 1, c], attrs = { groups: c, epsilon: 1e-5 };
    await kernel("groupStats", [x], { groups: c }, stats);
    await kernel("groupNormalize", [x, stats, [c], [c]], attrs, x);
    await kernel("groupNormSums", [x, x, stats], attrs, stats);
    await kernel("groupNormInputGradient", [x, x, stats, [c], stats], attrs, x);
    const shape = [n, width, width, c];
    await graph(`batch norm, both ways [${shape}]`, [shape, [c], [c], shape], normStep, 8 * sizeOf(shape));
  }
  await kernel("groupStats", [[n, side, side, 32]], { groups: 2 }, [2, n, 2]);
  for (const c of small ? [8] : [10, 32, 64]) {
    await kernel("sum", [[n * side * side, c]], { axes: [0], scale: 1 }, [c]);
  }
  await kernel("sum", [[n, 10]], { axes: [0], scale: 1 }, [10]);
  await kernel("sum", [[n, 8, 8, 64]], { axes: [1, 2], scale: 1 / 64 }, [n, 64]);
  await kernel("sum", [[n]], { axes: [0], scale: 1 / n }, []);
  const pool = { kernel: 2, stride: 2 }, pooled = [n, side / 2, side / 2, 32], whole = [n, side, side, 32];
  await kernel("maxPool2d", [whole], pool, pooled);
  await kernel("maxPool2dGradient", [pooled, whole], pool, whole);
  await kernel("softmax", [[n, 10]], {}, [n, 10]);
  for (const classes of [10, 100, 1000]) await loss(n, classes);
}
report.table("Kernels by default", {
  what: ({ what }: Row) => what,
  dispatches: ({ dispatches }) => String(dispatches),
  "µs": ({ ms }) => digits(1e3 * ms),
  "p10..p90": ({ p10, p90 }) => range({ p10: 1e3 * p10, p90: 1e3 * p90 }),
  "GB/s": ({ bytes, ms }) => digits(bytes / ms / 1e6),
}, rows);
report.finish();
gpu.destroy();

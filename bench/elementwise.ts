// GB/s of element-wise kernels, as the compiler emits them: a copy, a sum, and a chain of ten operations in one kernel,
// beside a copy by the device itself. Each operand counts once, read or written.
//
//   deno run -A bench/elementwise.ts [--floats 262144,67108864] [--backend auto|native|dawn] [--unsafe-gpu]
//     [--rounds 5] [--seconds 0.05] [--quick] [--json FILE]
//
// What fits a cache is faster than memory: the largest size tells what memory gives.
import { materialise, resident, type Tensor } from "../src/engine/graph/tensor.ts";
import { add, gelu, maximum, mul, neg, relu, square, sub } from "../src/engine/ops/elementwise.ts";
import { broadcastTo } from "../src/engine/ops/reduce.ts";
import { openForBench } from "./support/device.ts";
import { timeGraph } from "./support/kernels.ts";
import { numbersOf, readOptions } from "./support/options.ts";
import { randomFloats } from "./support/random.ts";
import { digits, range, startReport } from "./support/report.ts";
import { timeCalls } from "./support/timing.ts";

const KERNELS: Readonly<Record<string, { operands: number; trace(x: Tensor, y: Tensor): Tensor }>> = {
  copy: { operands: 2, trace: (x) => broadcastTo(materialise(x), x.shape) },
  relu: { operands: 2, trace: (x) => relu(x) },
  add: { operands: 3, trace: (x, y) => add(x, y) },
  "chain of ten": {
    operands: 3,
    trace: (x, y) => maximum(sub(gelu(add(mul(x, y), square(x))), mul(0.5, neg(relu(add(y, 1))))), x),
  },
};

const options = readOptions({ floats: "" }, { rounds: 5, seconds: 0.05 });
const gpu = await openForBench(options);
const small = options.quick || gpu.adapter.software;
const report = startReport("Element-wise kernels", options, gpu.adapter);

interface Row extends Record<string, string | number> {
  kernel: string;
  floats: number;
  bytes: number;
  ms: number;
  p10: number;
  p90: number;
}
const rows: Row[] = [];
const sizes = options.own.floats || (options.quick ? "4096" : small ? "4194304" : "262144,4194304,67108864");
for (const floats of numbersOf(sizes)) {
  const buffers = [1, 2].map((seed) => gpu.allocator.upload(`in${seed}`, randomFloats(floats, seed)));
  const [x, y] = [0, 1].map((k) => resident(`in${k}`, [floats], "f32"));
  for (const [kernel, { operands, trace }] of Object.entries(KERNELS)) {
    const time = await timeGraph(gpu, trace(x, y), buffers, options);
    rows.push({ kernel, floats, bytes: 4 * operands * floats, ms: time.ms, p10: time.p10, p90: time.p90 });
  }
  const { median: ms, p10, p90 } = await timeCalls(gpu, () => {
    const encoder = gpu.device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffers[0].buffer, 0, buffers[1].buffer, 0, 4 * floats);
    gpu.device.queue.submit([encoder.finish()]);
  }, options);
  rows.push({ kernel: "copyBufferToBuffer", floats, bytes: 8 * floats, ms, p10, p90 });
  for (const view of buffers) gpu.allocator.free(view);
}
report.table("Element-wise kernels", {
  kernel: (row: Row) => row.kernel,
  floats: ({ floats }) => String(floats),
  "µs": ({ ms }) => digits(1e3 * ms),
  "p10..p90": ({ p10, p90 }) => range({ p10: 1e3 * p10, p90: 1e3 * p90 }),
  "GB/s": ({ bytes, ms }) => digits(bytes / ms / 1e6),
}, rows);
report.finish();
gpu.destroy();

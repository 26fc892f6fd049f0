// TFLOP/s of the matrix products: all kernels that fit (the slowest with --all), for square sizes and thin ones, in each transpose form.
//
//   deno run -A bench/gemm.ts [--size 1024,4096] [--shape 64x10x4096] [--forms nn,nt,tn,tt] [--storage f32,f16]
//     [--backend auto|native|dawn] [--unsafe-gpu] [--all] [--rounds 5] [--seconds 0.05] [--quick] [--json FILE]
//
// A shape is M×N×K. The form says which operands are stored transposed (nt: the second), --storage how both are stored; sums
// and results are f32. The kernel that the engine takes
// by itself has a star. Operands are random.
import { openForBench } from "./support/device.ts";
import { timeVariants, type VariantTime } from "./support/kernels.ts";
import { numbersOf, readOptions } from "./support/options.ts";
import { digits, range, speedColumn, startReport } from "./support/report.ts";

const options = readOptions({ size: "", shape: "", forms: "nn,nt,tn,tt", storage: "f32", all: false }, {
  rounds: 5,
  seconds: 0.05,
});
const gpu = await openForBench(options);
const small = options.quick || gpu.adapter.software;
const report = startReport("Matrix products", options, gpu.adapter);

const sizes = options.own.size ||
  (options.own.shape ? "" : options.quick ? "64" : small ? "512" : "1024,4096");
const thin = options.own.shape ||
  (options.own.size ? "" : small ? "16x10x256" : "64x10x4096,512x10x4096,512x10x512");
const shapes = [
  ...sizes ? numbersOf(sizes).map((n) => [n, n, n]) : [],
  ...thin ? thin.split(",").map((shape) => numbersOf(shape.replaceAll("x", ","))) : [],
];

type Row = VariantTime & { m: number; n: number; k: number; form: string; storage: string };
const rows: Row[] = [];
for (const [m, n, k] of shapes) {
  for (const form of options.own.forms.split(",")) {
    const [transposeA, transposeB] = [...form].map((letter) => letter === "t");
    const inputs = [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]];
    for (const storage of options.own.storage.split(",")) {
      const halves = { inputs: [storage === "f16", storage === "f16"], output: false };
      const kernelCase = { op: "matmul" as const, inputs, attrs: { transposeA, transposeB }, halves };
      const times = await timeVariants(gpu, kernelCase, { ...options, all: options.own.all });
      rows.push(...times.map((time) => ({ m, n, k, form, storage, ...time } as Row)));
    }
  }
}
report.table("Matrix products (* is the default)", {
  "M×N×K": ({ m, n, k }: Row) => `${m}×${n}×${k}`,
  form: ({ form }) => form,
  operands: ({ storage }) => storage,
  kernel: (row) => `${row.variant}${row.default ? " *" : ""}`,
  "µs": ({ ms }) => digits(1e3 * ms),
  "p10..p90": ({ p10, p90 }) => range({ p10: 1e3 * p10, p90: 1e3 * p90 }),
  ...speedColumn(gpu.adapter),
}, rows);
report.finish();
gpu.destroy();

// Milliseconds a training step (forward, backward, SGD with momentum) on 32×32×3 images, of the networks and batches given.
// Many steps are queued and waited for once, as a training loop does.
//
//   deno run -A bench/step.ts [--model small,resnet16,resnet64] [--batch 64,512] [--precision fp32,mixed] [--submit 10]
//     [--profile [--top 30]] [--torch FILE] [--tuned FILE] [--backend auto|native|dawn] [--unsafe-gpu] [--rounds 7]
//     [--seconds 0.2] [--quick] [--json FILE]
//
// --submit is how many steps go to the device at once: as in a run, those between two readings of its metrics. --profile
// prints where the time of a step goes, kernel by kernel. --torch takes what bench/torch_steps.py --json has written on the
// same machine and prints PyTorch's times beside, and how many times as fast this is. --tuned takes the kernels that
// main.ts tune-kernels has found to be the fastest.
import { findTuned } from "../src/app/adapters/tuned_file.ts";
import { runChoices } from "../src/app/tuned_kernels.ts";
import { type DispatchTime, profile } from "../src/engine/gpu/profile.ts";
import type { Precision } from "../src/engine/compile/storage.ts";
import { openForBench } from "./support/device.ts";
import { modelNamed } from "./support/models.ts";
import { numbersOf, readOptions } from "./support/options.ts";
import { digits, range, ratio, type Report, startReport } from "./support/report.ts";
import { timeCalls } from "./support/timing.ts";
import { openTraining, type TrainingStep } from "./support/training_step.ts";
import { readTorch } from "./support/torch.ts";

const options = readOptions({
  model: "",
  batch: "",
  precision: "fp32",
  submit: "",
  tuned: "",
  profile: false,
  top: "30",
  torch: "",
});
const gpu = await openForBench(options);
const small = options.quick || gpu.adapter.software;
const models = (options.own.model || (small ? "small,resnet4" : "small,resnet16,resnet64")).split(",");
const batches = numbersOf(options.own.batch || (options.quick ? "2" : small ? "16" : "64,512"));
const torch = options.own.torch ? readTorch(options.own.torch) : null;
const report = startReport("Training steps", options, gpu.adapter);

interface StepRow extends Record<string, string | number> {
  model: string;
  batch: number;
  precision: string;
  ms: number;
  p10: number;
  p90: number;
  host: number;
  dispatches: number;
  gflop: number;
  megabytes: number;
}

interface KernelRow extends Record<string, string | number> {
  kernel: string;
  of: string;
  times: number;
  micros: number;
  flops: number;
  bytes: number;
}

/** Dispatches of one key taken together, the longest first. */
function rowsBy(times: readonly DispatchTime[], key: (time: DispatchTime) => string): KernelRow[] {
  const rows = new Map<string, KernelRow>();
  for (const time of times) {
    const row = rows.get(key(time)) ??
      { kernel: time.name, of: time.what, times: 0, micros: 0, flops: 0, bytes: 0 };
    rows.set(key(time), {
      ...row,
      times: row.times + 1,
      micros: row.micros + 1e6 * time.seconds,
      flops: row.flops + time.flops,
      bytes: row.bytes + time.bytes,
    });
  }
  return [...rows.values()].sort((a, b) => b.micros - a.micros);
}

/** Which kernels a step's time goes to. */
async function printProfile(report: Report, title: string, step: TrainingStep, wall: number): Promise<void> {
  const { dispatches: times, kernelSeconds, encodeSeconds, submitSeconds } = await profile(
    gpu,
    step.dispatches,
    options.quick ? { scratch: step.scratch, warmSeconds: 0, repeats: 1 } : { scratch: step.scratch },
  );
  const columns = {
    kernel: (row: KernelRow) => row.kernel,
    times: (row: KernelRow) => String(row.times),
    "µs": (row: KernelRow) => digits(row.micros),
    share: (row: KernelRow) => `${(row.micros / kernelSeconds / 1e4).toFixed(1)}%`,
    "GFLOP/s": (row: KernelRow) => row.flops > 0 ? digits(row.flops / row.micros / 1e3) : "-",
    "GB/s": (row: KernelRow) => digits(row.bytes / row.micros / 1e3),
  };
  const top = Number(options.own.top);
  report.table(`${title}: kernels`, columns, rowsBy(times, ({ name }) => name));
  report.table(
    `${title}: the longest ${top} by shapes`,
    { ...columns, of: (row) => row.of },
    rowsBy(times, ({ name, what }) => `${name} ${what}`).slice(0, top),
  );
  report.note(
    `all kernels: ${
      digits(1e3 * kernelSeconds)
    } ms in ${times.length} dispatches, each timed alone; the step by the ` +
      `wall: ${digits(wall)} ms, of which the host encodes for ${
        digits(1e3 * encodeSeconds)
      } ms and submits for ` +
      `${digits(1e3 * submitSeconds)} ms`,
  );
}

const rows: StepRow[] = [];
const { choose } = runChoices(null, findTuned(options.own.tuned || "none", gpu.adapter));
const submit = Number(options.own.submit || (small ? "1" : "10"));

async function measure(model: string, batch: number, precision: Precision): Promise<StepRow> {
  const { step, bytes, destroy } = await openTraining(gpu, modelNamed(model), batch, { precision, choose });
  const { median, p10, p90, host } = await timeCalls(gpu, () => step.run(submit), options);
  const ms = median / submit;
  if (options.own.profile) await printProfile(report, `${model}, batch ${batch}, ${precision}`, step, ms);
  destroy();
  return {
    model,
    batch,
    precision,
    ms,
    p10: p10 / submit,
    p90: p90 / submit,
    host: host / submit,
    dispatches: step.dispatches.length,
    gflop: step.flops / 1e9,
    megabytes: bytes / 1e6,
  };
}

for (const model of models) {
  for (const batch of batches) {
    for (const precision of options.own.precision.split(",") as Precision[]) {
      rows.push(await measure(model, batch, precision));
    }
  }
}
report.table("Milliseconds a training step", {
  model: (row: StepRow) => row.model,
  batch: (row) => String(row.batch),
  precision: ({ precision }) => precision,
  ms: (row) => digits(row.ms),
  "p10..p90": range,
  "images/s": (row) => (1e3 * row.batch / row.ms).toFixed(0),
  "GFLOP/s": (row) => digits(row.gflop / row.ms * 1e3),
  "host ms": (row) => digits(row.host),
  dispatches: (row) => String(row.dispatches),
  MB: (row) => digits(row.megabytes),
}, rows);
if (torch) {
  const modes = torch.modes;
  report.table(`Beside ${torch.machine}: its ms, and how many times as fast this is`, {
    model: (row: StepRow) => row.model,
    batch: (row) => String(row.batch),
    precision: ({ precision }) => precision,
    ms: (row) => digits(row.ms),
    ...Object.fromEntries(modes.flatMap((mode) => [
      [mode, (row: StepRow) => digits(torch.find(row.model, row.batch, mode) ?? NaN)],
      [`vs ${mode}`, (row: StepRow) => ratio(torch.find(row.model, row.batch, mode), row.ms)],
    ])),
  }, rows);
}
report.finish();
gpu.destroy();

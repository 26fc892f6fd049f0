// Milliseconds a training step (forward, backward, SGD with momentum) on 32×32×3 images, of the networks and batches given.
// Many steps are queued and waited for once, as a training loop does.
//
//   deno run -A bench/step.ts [--model small,resnet16,resnet64] [--batch 64,512] [--steps 100] [--profile] [--torch FILE]
//     [--backend auto|native|dawn] [--unsafe-gpu] [--rounds 7] [--seconds 0.2] [--quick] [--json FILE]
//
// --profile prints where the time of each step goes, kernel by kernel. --torch takes what bench/torch_steps.py --json has
// written on the same machine and prints PyTorch's times beside, and how many times as fast this is.
import { openForBench } from "./support/device.ts";
import { modelNamed } from "./support/models.ts";
import { numbersOf, readOptions } from "./support/options.ts";
import { profileDispatches } from "./support/profile.ts";
import { digits, range, ratio, type Report, startReport } from "./support/report.ts";
import { timeCalls } from "./support/timing.ts";
import { openTrainingStep, type TrainingStep } from "./support/training_step.ts";
import { readTorch } from "./support/torch.ts";

const options = readOptions({ model: "", batch: "", steps: "", profile: false, torch: "" });
const gpu = await openForBench(options);
const small = options.quick || gpu.adapter.software;
const models = (options.own.model || (small ? "small,resnet4" : "small,resnet16,resnet64")).split(",");
const batches = numbersOf(options.own.batch || (options.quick ? "2" : small ? "16" : "64,512"));
const torch = options.own.torch ? readTorch(options.own.torch) : null;
const report = startReport("Training steps", options, gpu.adapter);

interface StepRow extends Record<string, string | number> {
  model: string;
  batch: number;
  ms: number;
  p10: number;
  p90: number;
  dispatches: number;
  gflop: number;
  megabytes: number;
}

/** Which kernels a step's time goes to. */
async function profile(report: Report, title: string, step: TrainingStep, wall: number): Promise<void> {
  const micros = await profileDispatches(gpu, step.dispatches, options.quick ? 1 : 5);
  const total = micros.reduce((sum, time) => sum + time, 0);
  const kernels = new Map<
    string,
    { kernel: string; of: string; times: number; micros: number; flops: number; bytes: number }
  >();
  for (const [k, { name, work }] of step.dispatches.entries()) {
    const key = `${name} ${work.what}`;
    const known = kernels.get(key) ??
      { kernel: name, of: work.what, times: 0, micros: 0, flops: 0, bytes: 0 };
    kernels.set(key, {
      ...known,
      times: known.times + 1,
      micros: known.micros + micros[k],
      flops: known.flops + work.flops,
      bytes: known.bytes + work.bytes,
    });
  }
  const rows = [...kernels.values()].sort((a, b) => b.micros - a.micros);
  report.table(`${title}: kernels`, {
    kernel: (row) => row.kernel,
    times: (row) => String(row.times),
    "µs": (row) => digits(row.micros),
    share: (row) => `${(100 * row.micros / total).toFixed(1)}%`,
    "GFLOP/s": (row) => row.flops > 0 ? digits(row.flops / row.micros / 1e3) : "-",
    "GB/s": (row) => digits(row.bytes / row.micros / 1e3),
    of: (row) => row.of,
  }, rows);
  report.note(
    `all kernels: ${digits(total / 1e3)} ms in ${step.dispatches.length} dispatches, each timed alone; ` +
      `the step by the wall: ${digits(wall)} ms`,
  );
}

const rows: StepRow[] = [];
for (const name of models) {
  for (const batch of batches) {
    const step = await openTrainingStep(gpu, modelNamed(name), batch);
    const calls = options.own.steps ? { calls: Number(options.own.steps) } : {};
    const timing = await timeCalls(gpu, step.run, { ...options, ...calls });
    const loss = await step.loss();
    if (!Number.isFinite(loss)) report.note(`${name}, batch ${batch}: the loss is ${loss}`);
    rows.push({
      model: name,
      batch,
      ms: timing.median,
      p10: timing.p10,
      p90: timing.p90,
      dispatches: step.dispatches.length,
      gflop: step.flops / 1e9,
      megabytes: step.bytes / 1e6,
    });
    if (options.own.profile) await profile(report, `${name}, batch ${batch}`, step, timing.median);
    step.destroy();
  }
}
report.table("Milliseconds a training step", {
  model: (row: StepRow) => row.model,
  batch: (row) => String(row.batch),
  ms: (row) => digits(row.ms),
  "p10..p90": range,
  "images/s": (row) => (1e3 * row.batch / row.ms).toFixed(0),
  "GFLOP/s": (row) => digits(row.gflop / row.ms * 1e3),
  dispatches: (row) => String(row.dispatches),
  MB: (row) => digits(row.megabytes),
}, rows);
if (torch) {
  const modes = torch.modes;
  report.table(`Beside ${torch.machine}: its ms, and how many times as fast this is`, {
    model: (row: StepRow) => row.model,
    batch: (row) => String(row.batch),
    ms: (row) => digits(row.ms),
    ...Object.fromEntries(modes.flatMap((mode) => [
      [mode, (row: StepRow) => digits(torch.find(row.model, row.batch, mode) ?? NaN)],
      [`vs ${mode}`, (row: StepRow) => ratio(torch.find(row.model, row.batch, mode), row.ms)],
    ])),
  }, rows);
}
report.finish();
gpu.destroy();

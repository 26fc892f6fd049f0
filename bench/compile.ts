// How long a new topology takes until it can train (traced, compiled, its kernels ready), while a training loop goes on, and
// what that does to the loop: the small CNN grows a branch behind each of its layers in turn, with all kernels of the
// present network already there.
//
//   deno run -A bench/compile.ts [--batch 64] [--before 300] [--backend auto|native|dawn] [--unsafe-gpu] [--quick]
//     [--json FILE]
//
// As in a run, the loop reads the loss every ten steps and yields to the compiler after each. A step is late where the device
// has waited for the host: ten steps took more than one and a half times the median of ten before the compilation began.
import { ReadbackRing } from "../src/engine/gpu/readback.ts";
import { openForBench } from "./support/device.ts";
import { smallCnn } from "./support/models.ts";
import { readOptions } from "./support/options.ts";
import { digits, startReport } from "./support/report.ts";
import { spreadOf } from "./support/statistics.ts";
import { openWorkbench, type TrainingStep } from "./support/training_step.ts";

const READING = 10;
const LATE = 1.5;

const options = readOptions({ batch: "", before: "" });
const gpu = await openForBench(options);
const small = options.quick || gpu.adapter.software;
const batch = Number(options.own.batch || (options.quick ? "2" : small ? "8" : "64"));
const before = Number(options.own.before || (options.quick ? "20" : small ? "50" : "300"));
const report = startReport("Compiling a new topology while training goes on", options, gpu.adapter);

const topologies = options.quick ? [[3]] : [[1], [1, 2], [1, 2, 3]];
const models = [[], ...topologies].map((grown) => smallCnn(32, grown));
const workbench = openWorkbench(gpu, models, batch);
const ring = new ReadbackRing(gpu, 16);

/** What a stretch of the loop looked like. */
interface Stretch {
  steps: number;
  /** Milliseconds of each ten steps, from one reading's arrival to the next. */
  readonly tens: number[];
  /** Longest time between two steps' submits. */
  gap: number;
}

const stretch = (): Stretch => ({ steps: 0, tens: [], gap: 0 });

/** The loop: steps until `done` says so. */
async function train(step: TrainingStep, done: (steps: number) => boolean): Promise<Stretch> {
  const seen = stretch();
  let arrived: number | null = null, last = performance.now();
  let reading: Promise<unknown> | null = null;
  const arrive = async (read: Promise<unknown>) => {
    await read;
    const now = performance.now();
    if (arrived !== null) seen.tens.push(now - arrived);
    arrived = now;
  };
  while (!done(seen.steps) || seen.steps % READING !== 0) {
    step.run();
    seen.steps++;
    const now = performance.now();
    seen.gap = Math.max(seen.gap, now - last);
    last = now;
    if (seen.steps % READING === 0) {
      await reading;
      reading = arrive(ring.read(step.loss));
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
  await reading;
  return seen;
}

interface Row extends Record<string, string | number> {
  topology: string;
  kernels: number;
  ready: number;
  steps: number;
  usual: number;
  during: number;
  gap: number;
  late: number;
}
const rows: Row[] = [];
let step = await workbench.build(models[0]);
await train(step, (steps) => steps >= READING);
for (const model of models.slice(1)) {
  const quiet = await train(step, (steps) => steps >= before);
  const usual = spreadOf(quiet.tens).median;
  const known = gpu.pipelines.size;
  const asked = performance.now();
  let ready = 0, next: TrainingStep | null = null;
  const building = workbench.build(model).then((built) => {
    next = built;
    ready = performance.now() - asked;
  });
  const busy = await train(step, () => next !== null);
  await building;
  rows.push({
    topology: model.name,
    kernels: gpu.pipelines.size - known,
    ready,
    steps: busy.steps,
    usual: usual / READING,
    during: busy.tens.length > 0 ? spreadOf(busy.tens).median / READING : NaN,
    gap: busy.gap,
    late: busy.tens.filter((ms) => ms > LATE * usual).length * READING,
  });
  step.destroy();
  step = next!;
}
report.table(`New topologies of the small CNN, batch ${batch}`, {
  topology: (row: Row) => row.topology,
  "ms until ready": ({ ready }) => digits(ready),
  "new kernels": ({ kernels }) => String(kernels),
  "steps meanwhile": ({ steps }) => String(steps),
  "ms a step before": ({ usual }) => digits(usual),
  "meanwhile": ({ during }) => digits(during),
  "longest gap ms": ({ gap }) => digits(gap),
  "late steps": ({ late }) => String(late),
}, rows);
step.destroy();
ring.destroy();
workbench.destroy();
report.finish();
gpu.destroy();

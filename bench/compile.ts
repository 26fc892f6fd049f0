// How long a new topology takes until it can train, while a training loop goes on, and what that does to the loop: the small
// CNN grows a branch behind each of its layers in turn, with all kernels of the present network already there. Each is built
// twice: with kernels that this device has never compiled, and again with all of them prepared, which leaves tracing,
// scheduling and binding. Whether the driver has seen the first ones is its own affair: NVIDIA's keeps them on disk, for other
// devices and processes, too (`__GL_SHADER_DISK_CACHE_PATH=$(mktemp -d)` gives it an empty one).
//
//   deno run -A bench/compile.ts [--batch 64] [--before 300] [--backend auto|native|dawn] [--unsafe-gpu] [--quick]
//     [--json FILE]
//
// The loop is that of a run: ten steps a submit, and a reading of the loss after each, awaited one submit later, so that ten
// to twenty steps are on their way. A step is late where the device has waited for the host: its ten took more than one and a
// half times the median of ten before the compilation began. The longest gap is that between two submits, most of which the
// host usually spends waiting for the device.
import { ReadbackRing } from "../src/engine/gpu/readback.ts";
import { openForBench } from "./support/device.ts";
import { smallCnn } from "./support/models.ts";
import { readOptions } from "./support/options.ts";
import { digits, startReport } from "./support/report.ts";
import { spreadOf } from "./support/statistics.ts";
import { openWorkbench, type TrainingStep } from "./support/training_step.ts";

const LATE = 1.5;

const options = readOptions({ batch: "", before: "" });
const READING = options.quick ? 2 : 10;
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
  /** Longest time between two submits. */
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
  while (!done(seen.steps)) {
    step.run(READING);
    const now = performance.now();
    if (seen.steps > 0) seen.gap = Math.max(seen.gap, now - last);
    last = now;
    seen.steps += READING;
    const next = arrive(ring.read(step.loss));
    await reading;
    reading = next;
  }
  await reading;
  return seen;
}

interface Row extends Record<string, string | number> {
  topology: string;
  caches: string;
  kernels: number;
  ready: number;
  steps: number;
  usual: number;
  usualGap: number;
  gap: number;
  late: number;
}
const rows: Row[] = [];
let step = await workbench.build(models[0]);
await train(step, (steps) => steps >= READING);
for (const model of models.slice(1)) {
  for (const caches of ["cold", "prepared"]) {
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
      caches,
      kernels: gpu.pipelines.size - known,
      ready,
      steps: busy.steps,
      usual: usual / READING,
      usualGap: quiet.gap,
      gap: busy.gap,
      late: busy.tens.filter((ms) => ms > LATE * usual).length * READING,
    });
    if (caches === "cold") next!.destroy();
    else {
      step.destroy();
      step = next!;
    }
  }
}
report.table(`New topologies of the small CNN, batch ${batch}`, {
  topology: (row: Row) => row.topology,
  kernels: ({ caches }) => caches,
  "ms until ready": ({ ready }) => digits(ready),
  "compiled": ({ kernels }) => String(kernels),
  "steps meanwhile": ({ steps }) => String(steps),
  "ms a step before": ({ usual }) => digits(usual),
  "longest gap ms before": ({ usualGap }) => digits(usualGap),
  "meanwhile": ({ gap }) => digits(gap),
  "late steps": ({ late }) => String(late),
}, rows);
report.note(`Late: ten steps took more than ${LATE} times the median of ten before.`);
step.destroy();
ring.destroy();
workbench.destroy();
report.finish();
gpu.destroy();

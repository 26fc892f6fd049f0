// Does compiling blueprints hold up training? Times of single training steps, each waited for, alone and while blueprints are
// compiled: on a thread and a device of their own (as in a run), with and without the comparison at the size of a batch, which
// shares the GPU, and on the thread and the device that train. Then what the workshop was at while steps were late, the longest
// of them with what they took of the host and of the device, and what the kernel cache takes for a hit.
//
//   deno run -A bench/compiling.ts [--count 50] [--model small] [--batch 64] [--where thread,apart,here] [--backend auto|native|dawn]
//     [--quick] [--json FILE]
import { settled } from "../src/engine/gpu/readback.ts";
import { createWorkerWorkshop } from "../src/tezzeret/adapters/workshop_worker.ts";
import {
  createTezzeret,
  createWorkshop,
  fitOf,
  library,
  type Tezzeret,
  type Workshop,
} from "../src/tezzeret/mod.ts";
import { createMemoryStore } from "../src/urza/mod.ts";
import { type Activity, attribute, during, type Share, type TimedStep } from "./support/attribution.ts";
import { deviceClock } from "./support/device_clock.ts";
import { openForBench } from "./support/device.ts";
import { modelNamed } from "./support/models.ts";
import { readOptions } from "./support/options.ts";
import { digits, startReport } from "./support/report.ts";
import { spreadOf } from "./support/statistics.ts";
import { openTraining } from "./support/training_step.ts";

/** Of the median of steps without compilations. */
const LATE = 1.5;

const options = readOptions({ count: "", model: "small", batch: "", where: "" });
const gpu = await openForBench(options);
const { adapter } = gpu;
const small = options.quick || adapter.software;
const count = Number(options.own.count || (options.quick ? "2" : "50"));
const batch = Number(options.own.batch || (small ? "2" : "64"));
const report = startReport("Training steps while blueprints are compiled", options, adapter);
const { step, destroy } = await openTraining(gpu, modelNamed(options.own.model), batch);

/** Distinct blueprints and shapes, the small ones first. */
const orders = [4, 8, 16, 32, 64].flatMap((channels) =>
  (small ? [[4, 4], [6, 6], [8, 8]] : [[8, 8], [16, 16], [32, 32]]).flatMap((sides) =>
    library.filter(({ fault }) => !fault).map((blueprint) => ({ blueprint, shape: [...sides, channels] }))
  )
).filter(({ blueprint, shape }) => fitOf(blueprint, shape).fits).slice(0, count);

/** Milliseconds since 1970, as the workshop's thread counts them, too. */
const now = () => performance.timeOrigin + performance.now();

/** Two timestamps of the device, around what is submitted between them; null where it has no clock. */
const clock = gpu.device.features.has("timestamp-query") ? deviceClock(gpu) : null;

/** Times steps until told to stop. */
async function timeSteps(until: (steps: number) => boolean): Promise<TimedStep[]> {
  const times: TimedStep[] = [];
  let last = now(), heldMs = 0;
  const pulse = () => {
    heldMs = Math.max(heldMs, now() - last);
    last = now();
  };
  const timer = setInterval(pulse, 1);
  while (!until(times.length)) {
    heldMs = 0;
    const started = last = now();
    clock?.begin();
    step.run();
    const submitMs = now() - started;
    const deviceMs = clock ? await clock.end() : await settled(gpu).then(() => null);
    pulse();
    const end = now();
    times.push({ ms: end - started, end, submitMs, heldMs, deviceMs });
  }
  clearInterval(timer);
  return times;
}

/** What the workshop was at, and when. */
const activities: Activity[] = [];
/** What was tried, and when. */
const tried: Activity[] = [];

function noting(workshop: Workshop): Workshop {
  const noted = async <T>(into: Activity[], what: string, work: () => Promise<T>) => {
    const from = now();
    try {
      return await work();
    } finally {
      into.push({ what, from, to: now() });
    }
  };
  let first = true;
  return {
    ...workshop,
    draft(order) {
      const what = first ? "the workshop starts" : "draft";
      first = false;
      return noted(activities, what, () => workshop.draft(order));
    },
    test({ blueprint, shape }, heartbeat) {
      return noted(tried, `${blueprint.name} at ${shape.join("×")}`, async () => {
        const report = await workshop.test({ blueprint, shape }, heartbeat);
        activities.push(
          ...report.phases.map(({ phase, from, ms }) => ({ what: phase, from, to: from + ms })),
        );
        return report;
      });
    },
  };
}

const onThread = (thorough: boolean) =>
  createWorkerWorkshop({
    adapter,
    batch,
    thorough,
    instead: () => {
      throw new Error("no thread could open the adapter");
    },
  });
const workshops = {
  /** As in a run. */
  thread: () => onThread(!adapter.software),
  /** Compared at a corner of the slot only. */
  apart: () => onThread(false),
  here: () => createWorkshop({ gpu }),
};

interface StepTimes extends Record<string, string | number> {
  readonly compiled: string;
  readonly steps: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly most: number;
  /** How long all compilations took, in seconds. */
  readonly seconds: number;
}

const columns: number[] = [];
const histograms: Record<string, string | number>[] = [];
const rows: StepTimes[] = [];
type Late = Omit<TimedStep, "end"> & {
  readonly where: string;
  readonly phase: string;
  readonly tried: string;
};
const longest: (Late & Record<string, string | number | null>)[] = [];
const shares: (Share & { readonly where: string })[] = [];
/** Reference pipelines at a batch: how long the GPU is busy with one, in ms. */
const passes: { what: string; ms: number; batch: number }[] = [];

function note(compiled: string, steps: readonly TimedStep[], seconds: number): void {
  const times = steps.map(({ ms }) => ms);
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  rows.push({
    ...{ compiled, steps: times.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) },
    ...{ most: sorted.at(-1)!, seconds },
  });
  const share = (low: number) =>
    times.filter((ms) => ms >= low && ms < low * Math.SQRT2).length / times.length;
  if (columns.length === 0) {
    const first = 2 ** (Math.floor(2 * Math.log2(sorted[0])) / 2);
    columns.push(...Array.from({ length: 14 }, (_, k) => first * 2 ** (k / 2)));
  }
  const counted = columns.map((low) => [`from ${digits(low)} ms`, share(low)]);
  const more = times.filter((ms) => ms >= columns.at(-1)! * Math.SQRT2).length / times.length;
  histograms.push({ compiled, ...Object.fromEntries(counted), more });
}

const alone = options.quick ? 10 : 400;
await timeSteps((steps) => steps === 5);
const quiet = await timeSteps((steps) => steps === alone);
note("nothing", quiet, 0);
/** Steps that take longer are late. */
const lateMs = LATE * spreadOf(quiet.map(({ ms }) => ms)).median;
let service: Tezzeret | null = null;
const places = options.own.where || (small ? "thread,here" : "thread,apart,here");
for (const where of places.split(",") as (keyof typeof workshops)[]) {
  await service?.close();
  service = createTezzeret({
    adapter,
    workshop: noting(workshops[where]()),
    store: createMemoryStore(),
    version: "bench",
  });
  const started = performance.now();
  let open = orders.length;
  const admissions = orders.map(({ blueprint, shape }) =>
    service!.admit(blueprint, shape).finally(() => open--)
  );
  const all = Promise.all(admissions);
  const times = await timeSteps(() => open === 0);
  for (const { blueprint, shape, batchShape, reference } of await all) {
    const what = `${blueprint} at ${shape.join("×")}`;
    if (reference?.p50Micros) passes.push({ what, ms: reference.p50Micros / 1000, batch: batchShape[0] });
  }
  for (const step of times.toSorted((a, b) => b.ms - a.ms).slice(0, 8)) {
    const { end: _, ...timed } = step;
    const what = (among: readonly Activity[]) => during(step, among).join(", ") || "nothing";
    longest.push({ where, ...timed, phase: what(activities), tried: what(tried) });
  }
  shares.push(...attribute(times, activities, lateMs).slice(0, 12).map((share) => ({ where, ...share })));
  note(`${orders.length} blueprints, ${where}`, times, (performance.now() - started) / 1000);
}
report.table("Milliseconds a step", {
  "while compiling": ({ compiled }: StepTimes) => compiled,
  steps: ({ steps }) => String(steps),
  p50: ({ p50 }) => digits(p50),
  p95: ({ p95 }) => digits(p95),
  p99: ({ p99 }) => digits(p99),
  most: ({ most }) => digits(most),
  "compiled in s": ({ seconds }) => digits(seconds),
}, rows);
report.table(`What went on: steps late by more than half, that is beyond ${digits(lateMs)} ms`, {
  compiled: ({ where }: typeof shares[number]) => where,
  "while the workshop was at": ({ what }) => what,
  steps: ({ steps }) => String(steps),
  late: ({ late }) => String(late),
  p99: ({ p99 }) => digits(p99),
  most: ({ most }) => digits(most),
}, shares);
report.table("Longest steps, in ms", {
  compiled: ({ where }: typeof longest[number]) => where,
  ms: ({ ms }) => digits(ms),
  "submit": ({ submitMs }) => digits(submitMs),
  "thread held": ({ heldMs }) => digits(heldMs),
  "device": ({ deviceMs }) => deviceMs === null ? "-" : digits(deviceMs),
  "the workshop's phases": ({ phase }) => phase,
  "being tried": ({ tried }) => tried,
}, longest);
if (passes.length > 0) {
  report.table("Longest passes of the reference pipeline on the GPU", {
    blueprint: ({ what }: typeof passes[number]) => what,
    batch: ({ batch }) => String(batch),
    ms: ({ ms }) => digits(ms),
  }, passes.toSorted((a, b) => b.ms - a.ms).slice(0, 5));
}
report.table(
  "Share of steps by their time, in steps of √2",
  {
    "while compiling": (row: Record<string, string | number>) => String(row.compiled),
    ...Object.fromEntries(
      Object.keys(histograms[0]).slice(1).map((name) => [
        name === "more" ? name : name.replace("from ", "≥ ").replace(" ms", ""),
        (row: Record<string, string | number>) => row[name] ? `${(100 * Number(row[name])).toFixed(1)}%` : "",
      ]),
    ),
  },
  histograms,
);

const HITS = 100_000;
const { blueprint, shape } = orders[0];
let found = 0;
for (let k = 0; k < HITS; k++) if (service!.known(blueprint, shape)) found++;
const started = performance.now();
for (let k = 0; k < HITS; k++) if (service!.known(blueprint, shape)) found++;
const micros = 1000 * (performance.now() - started) / HITS;
report.table("Kernel cache", {
  what: ({ what }: { what: string; micros: number; found: number }) => what,
  µs: (row) => digits(row.micros),
}, [{ what: "hit", micros, found }]);
await service!.close();
clock?.destroy();
destroy();
report.finish();
gpu.destroy();

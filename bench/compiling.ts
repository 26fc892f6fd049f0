// Does compiling blueprints hold up training? Times of single training steps, each waited for, in blocks: without compilations, and
// while some are under way, in turns. Blueprints are compiled in a process of their own (as in a run on a GPU), on a thread of this
// process (as in a run without leave to start processes), or on the thread and the device that train. Late steps are told with what
// they waited for: the device, a submit, a poll, a core, the thread's own work, or a machine on which nothing went on.
//
//   deno run -A bench/compiling.ts [--count 50] [--blocks 10] [--steps 200] [--model small] [--batch 64] [--where process,thread,here]
//     [--flags=--config=FILE] [--backend auto|native|dawn] [--quick] [--json FILE]
import { settled } from "../src/engine/gpu/readback.ts";
import { createProcessWorkshop } from "../src/tezzeret/adapters/workshop_process.ts";
import { createWorkerWorkshop } from "../src/tezzeret/adapters/workshop_worker.ts";
import { createTezzeret, createWorkshop, fitOf, library, type Workshop } from "../src/tezzeret/mod.ts";
import { createMemoryStore } from "../src/urza/mod.ts";
import { bootstrapMedian } from "../src/util/statistics.ts";
import {
  type Activity,
  type Cause,
  causeOf,
  CAUSES,
  during,
  type TimedStep,
  usualOf,
} from "./support/attribution.ts";
import { deviceClock } from "./support/device_clock.ts";
import { openForBench } from "./support/device.ts";
import { modelNamed } from "./support/models.ts";
import { readOptions } from "./support/options.ts";
import { digits, startReport } from "./support/report.ts";
import { threadTimes, watchPolls } from "./support/thread_clock.ts";
import { openTraining } from "./support/training_step.ts";
import { startWitness } from "./support/witness.ts";

/** Of the median of steps without compilations. */
const LATE = 1.5;
/** Beyond these many ms a step is counted. */
const BOUNDS = [5, 10, 30, 100];

const own = { count: "", blocks: "", steps: "", model: "small", batch: "", where: "", flags: "" };
const options = readOptions(own);
watchPolls();
const gpu = await openForBench(options);
const { adapter } = gpu;
const small = options.quick || adapter.software;
const number = (given: string, quick: number, full: number) =>
  Number(given || (options.quick ? quick : full));
const count = number(options.own.count, 2, 50), blocks = number(options.own.blocks, 2, 10);
const quietSteps = number(options.own.steps, 5, 200);
const batch = Number(options.own.batch || (small ? "2" : "64"));
const report = startReport("Training steps while blueprints are compiled", options, adapter);
const { step, destroy } = await openTraining(gpu, modelNamed(options.own.model), batch);

/** Distinct blueprints and shapes, the small ones first. */
const orders = [4, 8, 16, 32, 64].flatMap((channels) =>
  (small ? [[4, 4], [6, 6], [8, 8]] : [[8, 8], [16, 16], [32, 32]]).flatMap((sides) =>
    library.filter(({ fault }) => !fault).map((blueprint) => ({ blueprint, shape: [...sides, channels] }))
  )
).filter(({ blueprint, shape }) => fitOf(blueprint, shape).fits).slice(0, count);

/** Milliseconds since 1970, as other threads and processes count them, too. */
const now = () => performance.timeOrigin + performance.now();

/** Two timestamps of the device, around what is submitted between them; null where it has no clock. */
const clock = gpu.device.features.has("timestamp-query") ? deviceClock(gpu) : null;
const witness = startWitness();

/** Times steps until told to stop. */
async function timeSteps(until: (steps: number) => boolean): Promise<TimedStep[]> {
  const times: TimedStep[] = [];
  while (!until(times.length)) {
    const before = threadTimes(), started = now();
    clock?.begin();
    step.run();
    const submit = now() - started;
    const device = clock ? await clock.end() : await settled(gpu).then(() => NaN);
    const end = now(), after = threadTimes();
    times.push({
      ...{ ms: end - started, end, submit, device, polls: after.polls - before.polls },
      ...{ cpu: after.cpu - before.cpu, noCore: after.noCore - before.noCore },
      stoodStill: witness.stoodStill(started, end),
    });
  }
  return times;
}

/** What the workshop was at, and when. */
const activities: Activity[] = [];

function noting(workshop: Workshop): Workshop {
  return {
    ...workshop,
    async draft(order) {
      const from = now();
      const draft = await workshop.draft(order);
      activities.push({ what: "draft", from, to: now() });
      return draft;
    },
    async test(order, heartbeat) {
      const report = await workshop.test(order, heartbeat);
      activities.push(
        ...report.phases.map(({ phase, from, ms }) => ({ what: phase, from, to: from + ms })),
      );
      return report;
    },
  };
}

const far = {
  adapter,
  batch,
  thorough: !adapter.software,
  instead(): Workshop {
    throw new Error("compiling: want a place with the adapter that trains, got none");
  },
  onInstead: (reason: string) => console.error(reason),
};
const workshops = {
  process: () =>
    createProcessWorkshop({ ...far, ...options.own.flags && { flags: options.own.flags.split(",") } }),
  thread: () => createWorkerWorkshop(far),
  here: () => createWorkshop({ gpu }),
};

type Row = Record<string, string | number>;
const rows: Row[] = [], histograms: Row[] = [], causes: Row[] = [], ratios: Row[] = [];
const longest: Row[] = [];
const columns: number[] = [];

const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
const sortedTimes = (steps: readonly TimedStep[]) => steps.map(({ ms }) => ms).toSorted((a, b) => a - b);

function note(what: string, steps: readonly TimedStep[], seconds: number): void {
  const sorted = sortedTimes(steps);
  rows.push({
    ...{ what, steps: steps.length, seconds, most: sorted.at(-1)! },
    ...{ p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), p99: quantile(sorted, 0.99) },
    ...Object.fromEntries(BOUNDS.map((ms) => [`over ${ms}`, sorted.filter((time) => time > ms).length])),
  });
  if (columns.length === 0) {
    const first = 2 ** (Math.floor(2 * Math.log2(sorted[0])) / 2);
    columns.push(...Array.from({ length: 14 }, (_, k) => first * 2 ** (k / 2)));
  }
  const share = (low: number, high: number) =>
    sorted.filter((ms) => ms >= low && ms < high).length / sorted.length;
  const counted = columns.map((low, k) => [`from ${digits(low)}`, share(k ? low : 0, low * Math.SQRT2)]);
  histograms.push({
    what,
    ...Object.fromEntries(counted),
    more: share(columns.at(-1)! * Math.SQRT2, Infinity),
  });
}

/** Late steps by cause, and the longest of them. */
function explain(what: string, steps: readonly TimedStep[], usual: TimedStep): void {
  const late = steps.filter(({ ms }) => ms > LATE * usual.ms).map((step) => ({
    ...step,
    cause: causeOf(step, usual),
  }));
  for (const cause of Object.keys(CAUSES) as Cause[]) {
    const mine = late.filter((step) => step.cause === cause);
    if (mine.length === 0) continue;
    const most = Math.max(...mine.map(({ ms }) => ms));
    causes.push({ what, cause: CAUSES[cause], late: mine.length, of: steps.length, most });
  }
  for (const { end, ...step } of late.toSorted((a, b) => b.ms - a.ms).slice(0, 8)) {
    const phases = during({ ms: step.ms, end }, activities).join(", ") || "nothing";
    longest.push({ what, ...step, phases });
  }
}

/** What the cache takes for a hit, in µs. */
let hit = 0;
await timeSteps((steps) => steps === Math.min(50, quietSteps));
for (const where of (options.own.where || (small ? "thread,here" : "process,thread")).split(",")) {
  let open = 1;
  const workshop = noting(workshops[where as keyof typeof workshops]());
  const opening = workshop.draft(orders[0]).finally(() => open--);
  const started = performance.now();
  note(
    `${where} is opened`,
    await timeSteps((steps) => steps > 0 && open === 0),
    (performance.now() - started) / 1e3,
  );
  await opening;
  const service = createTezzeret({ adapter, workshop, store: createMemoryStore(), version: "bench" });
  const quiet: TimedStep[] = [], busy: TimedStep[] = [], pairs: number[] = [];
  let seconds = 0;
  for (let block = 0; block < blocks; block++) {
    const alone = await timeSteps((steps) => steps === quietSteps);
    const mine = orders.filter((_, k) => k % blocks === block);
    const began = performance.now();
    open = mine.length;
    const all = Promise.all(
      mine.map(({ blueprint, shape }) => service.admit(blueprint, shape).finally(() => open--)),
    );
    const beside = await timeSteps((steps) => steps > 0 && open === 0);
    await all;
    seconds += (performance.now() - began) / 1e3;
    quiet.push(...alone);
    busy.push(...beside);
    pairs.push(quantile(sortedTimes(beside), 0.5) / quantile(sortedTimes(alone), 0.5));
  }
  const name = `${orders.length} in a ${where}`.replace("a here", "the training thread");
  const usual = usualOf(quiet), alone = `none, beside ${where}`;
  note(alone, quiet, 0);
  note(name, busy, seconds);
  explain(alone, quiet, usual);
  explain(name, busy, usual);
  const p99 = quantile(sortedTimes(busy), 0.99) / quantile(sortedTimes(quiet), 0.99);
  ratios.push({ what: name, blocks, ...bootstrapMedian(pairs), p99 });

  const HITS = 100_000, { blueprint, shape } = orders[0];
  let micros = 0;
  for (let round = 0; round < 2; round++) {
    const asked = performance.now();
    for (let k = 0; k < HITS; k++) {
      if (!service.known(blueprint, shape)) throw new Error("want a hit, got a miss");
    }
    micros = 1000 * (performance.now() - asked) / HITS;
  }
  hit = micros;
  await service.close();
}

const text = (key: string) => (row: Row) => String(row[key]);
const amount = (key: string) => (row: Row) => Number.isNaN(row[key]) ? "-" : digits(row[key] as number);
report.table("Milliseconds a step", {
  "under way": text("what"),
  steps: text("steps"),
  ...Object.fromEntries(["p50", "p95", "p99", "most"].map((key) => [key, amount(key)])),
  ...Object.fromEntries(BOUNDS.map((ms) => [`> ${ms} ms`, text(`over ${ms}`)])),
  "compiled in s": amount("seconds"),
}, rows);
report.table("Steps with compilations over steps without, in blocks that take turns", {
  "under way": text("what"),
  blocks: text("blocks"),
  "ratio of medians": amount("median"),
  "95 % interval": (row: Row) => `${digits(row.low as number)}..${digits(row.high as number)}`,
  "ratio of p99": amount("p99"),
}, ratios);
report.table("Steps late by more than half", {
  "under way": text("what"),
  "what they waited for": text("cause"),
  late: text("late"),
  of: text("of"),
  most: amount("most"),
}, causes);
report.table("Longest steps, in ms", {
  "under way": text("what"),
  ...Object.fromEntries(
    ["ms", "submit", "polls", "device", "cpu", "noCore", "stoodStill"].map((key) => [key, amount(key)]),
  ),
  cause: text("cause"),
  "the workshop's phases": text("phases"),
}, longest);
report.table("Share of steps by their time, in steps of √2", {
  "under way": text("what"),
  ...Object.fromEntries(
    Object.keys(histograms[0]).slice(1).map((name) => [
      name.replace("from ", "≥ "),
      (row: Row) => row[name] ? `${(100 * Number(row[name])).toFixed(1)}%` : "",
    ]),
  ),
}, histograms);
report.table("Kernel cache", { what: text("what"), µs: amount("micros") }, [{ what: "hit", micros: hit }]);
witness.stop();
clock?.destroy();
destroy();
report.finish();
gpu.destroy();

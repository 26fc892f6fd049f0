// How often does the governor roll back a run that is in health? Small runs of ordinary blueprints on several hosts and data
// sets, under controllers that grow by evidence, by chance and not at all; every rollback among them is told with its reason,
// and the run is repeated without a governor: where it comes through all the same, and no worse, the alarm was false.
//
//   deno run -A bench/false_alarms.ts [--runs 12] [--first 1] [--tasks spirals,digits,tight]
//     [--controllers heuristic,random,off] [--backend auto|native|dawn] [--quick] [--json FILE]
//
// Runs take tasks and controllers by turns, each with a seed of its own.
import type { RunResult } from "../src/app/options.ts";
import { runTraining } from "../src/app/run.ts";
import { UserError } from "../src/util/errors.ts";
import { readConfig } from "../src/cli/config_file.ts";
import { readOptions } from "./support/options.ts";
import { digits, startReport } from "./support/report.ts";
import { atMost } from "./support/statistics.ts";

/** What is trained, as changes to a file of `configs/`. */
const TASKS: Readonly<Record<string, { readonly file: string; readonly sets: readonly string[] }>> = {
  spirals: { file: "spirals.json", sets: [] },
  digits: {
    file: "fashion_mnist.json",
    sets: [
      "data.kind=digits",
      "data.augment.flip=false",
      "train.budgetGflop=25",
      "train.learningRate.peak=0.05",
      "loop.tickSteps=20",
    ],
  },
  /** A loss that falls fast and then jumps about near zero: small batches, little data, a high rate. */
  tight: {
    file: "spirals.json",
    sets: ["data.count=2000", "data.noise=0", "train.batch=16", "train.budgetGflop=0.1", "loop.tickSteps=100"]
      .concat([
        "train.learningRate.peak=0.02",
        "data.split.control=400",
        "data.split.validation=400",
        "data.split.test=400",
      ]),
  },
};
/** Share by which the validation loss of a run without a governor may be above that with one, and still count as no worse. */
const MARGIN = 0.05;

const options = readOptions({
  runs: "",
  first: "1",
  tasks: Object.keys(TASKS).join(),
  controllers: "heuristic,random,off",
});
const tasks = options.own.tasks.split(","), controllers = options.own.controllers.split(",");
const runs = Number(options.own.runs || (options.quick ? "1" : "12"));

interface Row extends Record<string, string | number> {
  run: string;
  steps: number;
  grown: number;
  alarms: number;
  false: number;
  accuracy: number;
}
const rows: Row[] = [];
let adapter: RunResult["adapter"] = "";
const report = startReport("Rollbacks of runs in health", options, null);
const out = await Deno.makeTempDir({ prefix: "esper-alarms-" });

async function train(task: string, controller: string, seed: number, governor: boolean) {
  const alarms: string[] = [];
  let grown = 0;
  const running = runTraining({
    config: {
      file: readConfig(TASKS[task].file),
      sets: [
        ...TASKS[task].sets,
        `controller.kind=${controller}`,
        `governor.enabled=${governor}`,
        ...options.quick ? ["train.maxSteps=20", "loop.tickSteps=5"] : [],
      ],
      flags: { seed },
    },
    profile: "small",
    backend: options.backend,
    out,
    resume: null,
    dryRun: false,
    signal: new AbortController().signal,
    onEvent(event) {
      if (event.topic === "seed.edge" && event.payload.to === "TRAINING") grown++;
      if (event.topic === "governor.rollback") {
        alarms.push(`${event.payload.reason} at step ${event.payload.step}`);
      }
    },
  });
  try {
    const { adapter: on, steps, after } = await running;
    adapter = on;
    return { alarms, grown, steps, loss: after!.loss, accuracy: after!.accuracy };
  } catch (error) {
    // The governor gives up where it would roll back once too often.
    if (!(error instanceof UserError)) throw error;
    const { step } = /at step (?<step>\d+)/.exec(error.message)?.groups ?? {};
    return { alarms: [...alarms, error.message], grown, steps: Number(step), loss: Infinity, accuracy: NaN };
  }
}

for (let k = 0; k < runs; k++) {
  const task = tasks[k % tasks.length];
  const controller = controllers[Math.floor(k / tasks.length) % controllers.length];
  const seed = Number(options.own.first) + k;
  const run = `${task}, ${controller}, seed ${seed}`;
  const { alarms, grown, steps, loss, accuracy } = await train(task, controller, seed, true);
  let untrue = 0;
  if (alarms.length > 0) {
    const free = await train(task, controller, seed, false);
    const wrong = Number.isFinite(free.loss) && free.loss <= loss * (1 + MARGIN);
    if (wrong) untrue = alarms.length;
    report.note(
      `${run}: ${alarms.join(", ")}; validation loss ${digits(loss)}, without a governor ${
        digits(free.loss)
      }: ` +
        (wrong ? "a false alarm" : "it was right"),
    );
  }
  rows.push({ run, steps, grown, alarms: alarms.length, false: untrue, accuracy });
}
await Deno.remove(out, { recursive: true });

report.table("Runs", {
  run: ({ run }: Row) => run,
  steps: ({ steps }) => String(steps),
  "seeds that trained": ({ grown }) => String(grown),
  rollbacks: ({ alarms }) => String(alarms),
  "false": (row) => String(row.false),
  "accuracy %": ({ accuracy }) => digits(100 * accuracy),
}, rows);
const sum = (pick: (row: Row) => number) => rows.reduce((total, row) => total + pick(row), 0);
const hit = rows.filter((row) => row.false > 0).length;
report.note(
  `${adapter}: ${hit} of ${runs} runs in health were rolled back, ${sum((row) => row.false)} times in ` +
    `${sum(({ steps }) => steps)} steps; with 95 % confidence at most ${
      digits(100 * atMost(hit, runs))
    } % of such runs are.`,
);
report.finish();

/** Many runs of one configuration, varied: every variation with every seed, in one table. */
import { z } from "zod";
import { PROFILES, type RunConfig } from "../contracts/config.ts";
import { usageError, UserError } from "../util/errors.ts";
import { canonicalJson } from "../util/json.ts";
import { inLanes } from "../util/lanes.ts";
import { meanOf } from "../util/statistics.ts";
import type { ProofFolder } from "./adapters/proof_folder.ts";
import { resolveConfig } from "./config.ts";
import type { Fleet } from "./fleet/fleet.ts";
import type { BackendChoice } from "./options.ts";
import { runConfigHash } from "./prove/derive.ts";
import { type ArmRunner, createRunner } from "./prove/run_arm.ts";

/** What is swept, as its folder keeps it. */
const Sweep = z.strictObject({
  /** The run configuration, as its file has it, and what is laid over it in every run. */
  config: z.json(),
  set: z.array(z.string()),
  profile: z.enum(PROFILES),
  /** Grids: each key with its values; all combinations are run. */
  vary: z.array(z.strictObject({ key: z.string(), values: z.array(z.string()).min(1) })),
  /** Lists: each a variation with its KEY=VALUEs; run with every combination of the grids. */
  cases: z.array(z.array(z.string())),
  seeds: z.strictObject({ first: z.int().min(0), count: z.int().min(1).max(1000) }),
});
export type Sweep = z.output<typeof Sweep>;

const Score = z.strictObject({ loss: z.number(), accuracy: z.number() });
/** What a run came to, but for what the clock told. */
const Row = z.strictObject({
  run: z.string(),
  set: z.array(z.string()),
  seed: z.number(),
  /** Of the run's configuration, and of the weights that it ended with. */
  config: z.string(),
  weights: z.string().nullable(),
  validation: Score,
  test: Score,
  params: z.number(),
  flops: z.number(),
  steps: z.number(),
});
export type SweepRow = z.output<typeof Row>;

/** Means over seeds, and standard deviations of a sample; null of one seed. */
export interface SweepSummary {
  readonly set: readonly string[];
  readonly seeds: number;
  readonly loss: number;
  readonly lossDeviation: number | null;
  readonly accuracy: number;
  readonly accuracyDeviation: number | null;
  readonly params: number;
  readonly gflop: number;
}

export interface SweepOptions {
  readonly sweep: Sweep;
  readonly backend: BackendChoice;
  /** Folder in which the sweep's is made. */
  readonly out: string;
  /** The folder of a sweep to go on with; null begins one. */
  readonly resume: string | null;
  /** Runs at a time on this machine's device. */
  readonly lanes: number;
  /** Runs go to its workers instead. */
  readonly fleet: Fleet | null;
  readonly signal: AbortSignal;
  onLine(line: string): void;
}

export interface SweepResult {
  readonly outcome: "completed" | "interrupted";
  readonly directory: string;
  /** In the order of variations and seeds. */
  readonly rows: readonly SweepRow[];
  /** Best loss first. */
  readonly summary: readonly SweepSummary[];
  /** Where two workers came to different results: then nothing of this is to be believed. */
  readonly faults: readonly string[];
}

interface Job {
  readonly name: string;
  readonly set: readonly string[];
  readonly seed: number;
  readonly config: RunConfig;
}

/** All KEY=VALUEs of each variation. */
export function variationsOf({ vary, cases }: Pick<Sweep, "vary" | "cases">): string[][] {
  let all: string[][] = cases.length > 0 ? cases.map((one) => [...one]) : [[]];
  for (const { key, values } of vary) {
    all = all.flatMap((one) => values.map((value) => [...one, `${key}=${value}`]));
  }
  return all;
}

/** Every run of a sweep. @throws {UserError} where a variation does not fit the configuration. */
function jobsOf(sweep: Sweep): Job[] {
  const { config: file, set: common, profile, seeds: { first, count } } = sweep;
  return variationsOf(sweep).flatMap((set, k) =>
    Array.from({ length: count }, (_, s) => {
      const seed = first + s, sets = [...common, ...set];
      const config = resolveConfig({ file, sets, flags: { seed } }, profile);
      const name = `${config.name}-v${k + 1}-s${seed}`;
      return { name, set, seed, config: { ...config, name } };
    })
  );
}

/**
 * Runs what has not been run yet, and writes `sweep.json` and `sweep.csv`: the same bytes however many did the runs.
 *
 * @throws {UserError} where a variation, the data, the device or the disk will not do.
 */
export async function runSweep(options: SweepOptions): Promise<SweepResult> {
  const { ProofFolder } = await import("./adapters/proof_folder.ts");
  const { sweep, resume, fleet, signal, backend } = options, jobs = jobsOf(sweep);
  const folder = resume === null
    ? ProofFolder.create(options.out, `${jobs[0].config.name.replace(/-v1-s\d+$/, "")}-sweep`)
    : ProofFolder.open(resume);
  if (resume === null) folder.writeJson("manifest.json", sweep);
  const found = jobs.map((job) => readRow(folder, job)), open = jobs.filter((_, k) => found[k] === null);
  const lanes = fleet ? open.length : Math.min(options.lanes, open.length);
  const runners = await openRunners(lanes, fleet), free = [...runners];
  let done = jobs.length - open.length;
  try {
    await inLanes(open, Math.max(1, lanes), async (job) => {
      if (signal.aborted) return;
      const runner = free.pop()!;
      try {
        const row = await runOne(job, folder, runner, sweep.profile, backend, signal);
        if (row) options.onLine(`${++done} of ${jobs.length} ${tellRow(row)}`);
      } finally {
        free.push(runner);
      }
    });
  } finally {
    runners.forEach((runner) => runner.close());
  }
  const rows = jobs.map((job) => readRow(folder, job)).filter((row) => row !== null);
  if (rows.length < jobs.length) {
    return { outcome: "interrupted", directory: folder.path, rows, summary: [], faults: [] };
  }
  const faults = await fleet?.settle(signal) ?? [], summary = summarise(rows);
  folder.writeJson("sweep.json", { version: 1, sweep, faults, summary, rows });
  folder.writeText("sweep.csv", csvOf(rows));
  return { outcome: "completed", directory: folder.path, rows, summary, faults };
}

async function openRunners(lanes: number, fleet: Fleet | null): Promise<ArmRunner[]> {
  if (fleet) return Array.from({ length: lanes }, () => fleet.createRunner());
  if (lanes === 1) return [createRunner()];
  const { createThreadRunner } = await import("./adapters/arm_worker.ts");
  return Array.from({ length: lanes }, createThreadRunner);
}

async function runOne(
  { name, set, seed, config }: Job,
  folder: ProofFolder,
  runner: ArmRunner,
  profile: Sweep["profile"],
  backend: BackendChoice,
  signal: AbortSignal,
): Promise<SweepRow | null> {
  const request = { config, profile, backend, out: folder.runs, resume: folder.runOf(name) };
  const { outcome, weights, after, test, grown, flops, steps } = await runner.run(request, signal);
  if (outcome === "interrupted") return null;
  const score = ({ loss, accuracy }: { loss: number; accuracy: number }) => ({ loss, accuracy });
  const row: SweepRow = {
    ...{ run: name, set: [...set], seed, config: await runConfigHash(config), weights },
    ...{ validation: score(after!), test: score(test!), params: grown.params, flops, steps },
  };
  folder.writeJson(`arms/${name}.json`, row);
  return row;
}

function readRow(folder: ProofFolder, { name, set, seed }: Job): SweepRow | null {
  const found = folder.read(`arms/${name}.json`);
  if (found === null) return null;
  const row = Row.safeParse(found);
  if (row.success && row.data.seed === seed && canonicalJson(row.data.set) === canonicalJson(set)) {
    return row.data;
  }
  throw new UserError(`sweep: arms/${name}.json: want the result of this run, got another; remove it`);
}

/** @throws {UserError} exit code 2 if the folder is no sweep's. */
export async function readSweep(path: string): Promise<Sweep> {
  const { ProofFolder } = await import("./adapters/proof_folder.ts");
  const parsed = Sweep.safeParse(ProofFolder.open(path).read("manifest.json"));
  if (parsed.success) return parsed.data;
  throw usageError(`--resume: want the folder of a sweep, got "${path}"`);
}

function summarise(rows: readonly SweepRow[]): SweepSummary[] {
  const groups = Map.groupBy(rows, ({ set }) => set.join(" "));
  const deviation = (values: readonly number[]) => {
    const mean = meanOf(values), squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null;
  };
  return [...groups.values()].map((group) => {
    const losses = group.map(({ test }) => test.loss), accuracies = group.map(({ test }) => test.accuracy);
    return {
      ...{ set: group[0].set, seeds: group.length, loss: meanOf(losses), lossDeviation: deviation(losses) },
      ...{ accuracy: meanOf(accuracies), accuracyDeviation: deviation(accuracies) },
      params: meanOf(group.map(({ params }) => params)),
      gflop: meanOf(group.map(({ flops }) => flops / 1e9)),
    };
  }).sort((a, b) => a.loss - b.loss);
}

function tellRow({ run, set, test, params }: SweepRow): string {
  return `${run}: ${set.join(" ") || "as it stands"}: test loss ${test.loss.toFixed(4)}, accuracy ` +
    `${(100 * test.accuracy).toFixed(2)} %, ${params} parameters`;
}

/** RFC 4180: a column for each key that is varied. */
function csvOf(rows: readonly SweepRow[]): string {
  const keys = [...new Set(rows.flatMap(({ set }) => set.map((one) => one.slice(0, one.indexOf("=")))))];
  const cell = (value: unknown) => {
    const text = String(value ?? "");
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const head = [
    "run",
    ...keys,
    "seed",
    "validation_loss",
    "validation_accuracy",
    "test_loss",
    "test_accuracy",
  ];
  const lines = rows.map(({ run, set, seed, validation, test, params, flops, steps, weights }) => {
    const values = keys.map((key) => set.find((one) => one.startsWith(`${key}=`))?.slice(key.length + 1));
    const scores = [validation.loss, validation.accuracy, test.loss, test.accuracy];
    return [run, ...values, seed, ...scores, params, flops, steps, weights];
  });
  return [[...head, "params", "flops", "steps", "weights"], ...lines]
    .map((line) => line.map(cell).join(",") + "\n").join("");
}

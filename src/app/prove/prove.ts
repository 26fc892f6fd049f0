/** Whether growth pays: every arm is run, and what was claimed beforehand is judged. */
import type { RunConfig } from "../../contracts/config.ts";
import {
  ArmResult,
  ArmTimes,
  type Comparison,
  Overhead,
  type Proof,
  type ProofConfig,
  type ProofManifest,
} from "../../contracts/proof.ts";
import type { AdapterDescription } from "../../engine/gpu/device.ts";
import { UserError } from "../../util/errors.ts";
import type { ProofFolder } from "../adapters/proof_folder.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { BackendChoice } from "../options.ts";
import { createTask } from "../tasks.ts";
import { outcomeOf, timesOf } from "./collect.ts";
import { configOf, type Job, jobName, needsOf, runConfigHash, type Task } from "./derive.ts";
import { faultsOf } from "./faults.ts";
import { judge, judgeHeadroom, tableOf, tellComparison } from "./judge.ts";
import { checkManifest, checkProof, seedsOf, settle } from "./manifest.ts";
import { measureOverhead } from "./overhead.ts";
import { type ArmRunner, createRunner } from "./run_arm.ts";
import { inOrder } from "./schedule.ts";
import { armOf, variantsOf } from "./arms.ts";

export interface ProveOptions {
  readonly proof: ProofConfig;
  /** The run configuration that the proof's task names, complete. */
  readonly task: RunConfig;
  readonly backend: BackendChoice;
  /** Folder in which a folder for this proof is made. */
  readonly out: string;
  /** The folder of a proof to go on with; null begins one. */
  readonly resume: string | null;
  /** Runs at a time, on one device. */
  readonly lanes: number;
  /** Runs go to its workers, all that may begin at once, and not to this machine's device. Absent: they stay here. */
  readonly fleet?: Fleet;
  /** Only whether the task can say anything about growth. */
  readonly headroomOnly: boolean;
  /** The line that makes the proof again. */
  readonly command: string;
  readonly signal: AbortSignal;
  onLine(line: string): void;
}

export interface ProveResult {
  readonly outcome: "completed" | "interrupted";
  readonly directory: string;
  /** Null where the run ended before. */
  readonly headroom: Comparison | null;
  /** Null after a headroom check alone, or where the run ended before. */
  readonly proof: Proof | null;
}

/** What a proof works with. */
interface Work {
  readonly options: ProveOptions;
  readonly folder: ProofFolder;
  readonly manifest: ProofManifest;
  readonly task: Task;
  readonly results: Map<string, ArmResult>;
  readonly times: Map<string, ArmTimes>;
}

/**
 * Runs what has not been run yet, judges the whole, and writes `proof.json` and `times.json`.
 *
 * @throws {UserError} where the task has no headroom, or configuration, data, device or disk will not do.
 */
export async function prove(options: ProveOptions): Promise<ProveResult> {
  const work = await begin(options), { task, results, times, manifest, folder } = work;
  const seeds = seedsOf(options.proof);
  const check = jobsOf(["headroom-host", "headroom-static"], seeds.headroom, task);
  const ended = { outcome: "interrupted" as const, directory: folder.path, headroom: null, proof: null };
  if (!await runAll(check, work)) return ended;
  const resultOf = (job: Job) => results.get(jobName(job));
  const listed = (jobs: readonly Job[]) => jobs.map((job) => resultOf(job)!);
  const headroom = judgeHeadroom(listed(check), task.classes);
  options.onLine(`headroom: ${tellComparison(headroom)}`);
  const result = { outcome: "completed" as const, directory: folder.path, headroom };
  if (options.headroomOnly) return { ...result, proof: null };
  if (headroom.verdict !== "SUPPORTED") {
    throw new UserError(
      `prove: want a task on which a larger network from scratch beats the host at equal FLOPs, or nothing can be said ` +
        `about growth; got ${tellComparison(headroom)}; take a smaller host, more data or a larger budget`,
    );
  }
  const overhead = await overheadOf(work);
  const jobs = jobsOf([...options.proof.arms, ...variantsOf(options.proof)], seeds.proof, task);
  if (!await runAll(jobs, work)) return { ...ended, headroom };
  const differences = await options.fleet?.settle(options.signal) ?? [];
  const faults = [
    ...await faultsOf([...check, ...jobs], task, manifest, folder, resultOf),
    ...differences,
  ];
  const arms = listed(jobs);
  const budget = task.config.train.budgetGflop * 1e9;
  const evidence = { proof: options.proof, results: arms, classes: task.classes, budget, overhead, faults };
  const proof: Proof = {
    version: 1,
    manifest,
    command: options.command,
    faults,
    headroom,
    overhead,
    ...judge(evidence),
    table: tableOf(evidence),
    arms: [...listed(check), ...arms],
  };
  folder.writeJson("proof.json", proof);
  folder.writeJson("times.json", [...times.values()]);
  return { ...result, proof };
}

/** Makes or opens the folder, settles the manifest, and reads what was run before. */
async function begin(options: ProveOptions): Promise<Work> {
  const { codeHash } = await import("../adapters/code_hash.ts");
  const { loadDataset } = await import("../adapters/load_dataset.ts");
  const { ProofFolder } = await import("../adapters/proof_folder.ts");
  const { proof, task: config, backend, out, resume } = options;
  checkProof(proof, config);
  const adapter = options.fleet?.adapter ?? await describe(backend);
  const source = createTask(
    proof.name,
    config,
    (data, seed) => loadDataset(data, seed, { signal: options.signal }),
  );
  const data = (seed: number) => source.data(seed);
  const now = await settle({ proof, task: config, adapter, code: await codeHash(), data });
  const folder = resume === null ? ProofFolder.create(out, proof.name) : ProofFolder.open(resume);
  const manifest = resume === null ? now : await checkManifest(folder.read("manifest.json"), now);
  if (resume === null) {
    folder.writeJson("task.json", config);
    folder.writeJson("begun.json", { proof, command: options.command });
    folder.writeJson("manifest.json", manifest);
  }
  const { dataset } = await data(proof.seeds.first);
  const task = { proof, config, input: dataset.shape, classes: dataset.classes.length };
  return { options, folder, manifest, task, results: new Map(), times: new Map() };
}

/** What dormant slots cost, measured once a proof, alone on the device, where H1 is asked. */
async function overheadOf({ options, folder, task }: Work): Promise<Overhead | null> {
  const found = folder.read("overhead.json");
  if (found !== null) return Overhead.parse(found);
  if (!options.proof.arms.includes("off-switch")) return null;
  const { openGpu } = await import("../adapters/open_gpu.ts");
  const { loadDataset } = await import("../adapters/load_dataset.ts");
  const { data, seed } = { ...task.config, seed: options.proof.seeds.first };
  const loaded = await loadDataset(data, seed, { signal: options.signal });
  const gpu = await openGpu(options.backend);
  try {
    const overhead = await measureOverhead(gpu, task.config, loaded, options.proof.overhead);
    folder.writeJson("overhead.json", overhead);
    return overhead;
  } finally {
    gpu.destroy();
  }
}

async function describe(backend: BackendChoice): Promise<AdapterDescription> {
  const { openGpu } = await import("../adapters/open_gpu.ts");
  const gpu = await openGpu(backend);
  gpu.destroy();
  return gpu.adapter;
}

/** The arms, and those they are derived from, of all seeds: what others need comes first. */
function jobsOf(arms: readonly Job["arm"][], seeds: readonly number[], task: Task): Job[] {
  const { proof } = task;
  const wanted = new Map<string, Job>();
  const add = (job: Job) => {
    if (wanted.has(jobName(job))) return;
    needsOf(job, task).forEach(add);
    wanted.set(jobName(job), job);
  };
  const derived = arms.some((arm) => armOf(arm, proof).needs);
  const first: readonly Job["arm"][] = derived ? ["host-flops", proof.grown] : [];
  for (const arm of [...first, ...arms]) {
    for (const seed of armOf(arm, proof).once ? seeds.slice(0, 1) : seeds) add({ arm, seed });
  }
  return [...wanted.values()];
}

/** Runs the jobs that have no result yet; false where the signal ended it. */
async function runAll(jobs: readonly Job[], work: Work): Promise<boolean> {
  const { options: { lanes, signal, fleet }, results, task } = work;
  const all = new Map(jobs.map((job) => [jobName(job), job]));
  for (const job of jobs) readResult(job, work);
  const open = jobs.filter((job) => !results.has(jobName(job)));
  if (open.length === 0) return true;
  const runners = fleet
    ? open.map(() => fleet.createRunner())
    : await openRunners(Math.min(lanes, open.length));
  const failed = new AbortController(), stop = AbortSignal.any([signal, failed.signal]);
  let done = results.size;
  try {
    await inOrder(
      open,
      runners.length,
      (job) =>
        needsOf(job, task).map((need) => all.get(jobName(need))!).filter((need) => open.includes(need)),
      async (job, lane) => {
        if (stop.aborted) return;
        try {
          const told = await runJob(job, work, runners[lane], stop);
          if (told !== null) work.options.onLine(`${++done} ${told}`);
        } catch (error) {
          failed.abort();
          throw error;
        }
      },
    );
  } finally {
    for (const runner of runners) runner.close();
  }
  return !signal.aborted;
}

/** One runner on this thread, or several on threads of their own. */
async function openRunners(lanes: number): Promise<ArmRunner[]> {
  if (lanes === 1) return [createRunner()];
  const { createThreadRunner } = await import("../adapters/arm_worker.ts");
  return Array.from({ length: lanes }, createThreadRunner);
}

/** @throws {UserError} if there is a result that is none. */
function readResult(job: Job, { folder, results, times }: Work): void {
  const name = jobName(job), found = folder.read(`arms/${name}.json`);
  if (found === null) return;
  const parsed = ArmResult.safeParse(found), clock = ArmTimes.safeParse(folder.read(`times/${name}.json`));
  if (!parsed.success) {
    throw new UserError(
      `prove: arms/${name}.json: want the result of an arm, got trouble at ${
        parsed.error.issues[0].path.join(".")
      }; ` +
        "remove it and its run, and the arm is run again",
    );
  }
  results.set(name, parsed.data);
  if (clock.success) times.set(name, clock.data);
}

/** Runs one arm, or goes on with it, and keeps its result; returns what to tell, null where the signal ended it. */
async function runJob(job: Job, work: Work, runner: ArmRunner, signal: AbortSignal): Promise<string | null> {
  const { options, folder, manifest, task, results, times } = work, name = jobName(job);
  const config = await configOf(job, task, (need) => results.get(jobName(need)));
  const result = {
    version: 1 as const,
    ...job,
    config: await runConfigHash(config),
    data: manifest.data[job.seed],
    manifest: manifest.sha256,
  };
  const keep = (outcome: ArmResult["outcome"]) => {
    results.set(name, { ...result, outcome });
    folder.writeJson(`arms/${name}.json`, results.get(name));
  };
  const request = {
    config,
    profile: task.proof.task.profile,
    backend: options.backend,
    out: folder.runs,
    resume: folder.runOf(name),
    data: manifest.data[job.seed],
  };
  try {
    const reply = await runner.run(request, signal);
    if (reply.outcome === "interrupted") return null;
    const { lines } = folder.runRecord(name);
    const clock = timesOf(job, reply, lines);
    times.set(name, clock);
    folder.writeJson(`times/${name}.json`, clock);
    keep(outcomeOf(reply, lines));
    const { test, grown, flops, seconds } = reply;
    return `${name}: test loss ${test!.loss.toFixed(4)}, accuracy ${(100 * test!.accuracy).toFixed(2)} %, ` +
      `${grown.params} parameters, ${(flops / 1e9).toFixed(1)} GFLOP, ${seconds.toFixed(0)} s`;
  } catch (error) {
    // A person can cure it: then it says nothing about the arm.
    if (error instanceof UserError || signal.aborted) throw error;
    const message = error instanceof Error ? error.message : String(error);
    keep({ status: "crashed", error: message });
    return `${name}: crashed: ${message}`;
  }
}

/** The composition root of training. */
import type { RunConfig } from "../contracts/config.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { parseSchedule } from "../tamiyo/mod.ts";
import { createWorkshop, type Workshop } from "../tezzeret/mod.ts";
import { callHooks, type Hooks, type Score, seedsWith, stoppingOnce, type Trainer } from "../tolaria/mod.ts";
import type { LoadedDataset } from "./loaded_dataset.ts";
import type { RunFolder } from "./adapters/run_folder.ts";
import type { SharedStore } from "./adapters/run_store.ts";
import type { VariantIds } from "../engine/tune/choices.ts";
import { requireTimestamps } from "../engine/gpu/profile.ts";
import { resolveConfig } from "./config.ts";
import { compilerFlops } from "./compiler_flops.ts";
import { checkBlueprintNames } from "./config_names.ts";
import { DeviceLoss, MAX_LOSSES, openAgain } from "./device_loss.ts";
import { type KernelReport, traceOf } from "./kernel_profile.ts";
import { KernelProfiler } from "./kernel_profiler.ts";
import type { LoadedNetwork } from "./export_file.ts";
import { loadHost } from "./host_file.ts";
import { buildNetwork } from "./network.ts";
import { normalisationNotice } from "./normalisation.ts";
import type { DryRunReport, Measured, RunOptions, RunResult } from "./options.ts";
import { loadPolicy } from "./policy_source.ts";
import { seedFates } from "./seed_fates.ts";
import { createSession, type Session, type SessionParts, type Start } from "./session.ts";
import { runChoices, USED_FILE, usedKernels } from "./tuned_kernels.ts";
import { undelivered } from "./undelivered.ts";
import { versions } from "./versions.ts";

/** How a run is called on every surface. */
interface Identity {
  readonly run: string;
  readonly dataset: string;
  readonly adapter: string;
  readonly profile: RunResult["profile"];
}

type RunParts = SessionParts & {
  readonly kernels: NonNullable<SessionParts["kernels"]> & { readonly given: VariantIds };
  readonly folder: RunFolder | null;
  /** What a host of kind `file` was read as. */
  readonly from: LoadedNetwork | null;
  /** File of kernel choices. */
  readonly tuned: string | null;
  readonly hooks: readonly Hooks[];
  /** Devices that the run has lost, and whether another will be opened where this one is lost. */
  readonly losses: number;
  readonly mayReopen: boolean;
};

/** What `run.json` keeps of a run for those who go on with it. */
type Recorded = Pick<RunResult, "profile" | "notices">;

/**
 * Trains as the options say, until the budget is spent or the signal is aborted.
 *
 * @throws {UserError} one line with cause and cure, where the configuration, the data, the device or the disk will not do.
 */
export async function runTraining(options: RunOptions): Promise<RunResult> {
  const { openGpu } = await import("./adapters/open_gpu.ts");
  const { loadDataset } = await import("./adapters/load_dataset.ts");
  const { findTuned } = await import("./adapters/tuned_file.ts");
  const open = options.openGpu ?? (() => openGpu(options.backend, options.unsafeGpu));
  let gpu = await open();
  let folder: RunFolder | null = null, shared: SharedStore | null = null;
  try {
    if (options.profileKernels) requireTimestamps(gpu, "--profile-kernels");
    const profile = options.profile !== "auto" ? options.profile : gpu.adapter.software ? "small" : "full";
    const { RunFolder } = await import("./adapters/run_folder.ts");
    const { openSharedStore, sharedStoreIn } = await import("./adapters/run_store.ts");
    const asked = resolveConfig(options.config, profile);
    const place = options.dryRun ? null : sharedStoreIn(asked);
    shared = place && await openSharedStore(place);
    folder = options.resume === null ? null : RunFolder.open(options.resume, shared);
    const kept = folder?.store ?? null;
    const source = await loadHost(await readSchedule(asked), kept);
    const decider = await loadPolicy(source.config, kept);
    const { config, policy } = decider;
    const { signal, onDownload } = options;
    const tuned = findTuned(options.tuned, gpu.adapter);
    const data = await loadDataset(config.data, config.seed, {
      signal,
      ...(onDownload && { onProgress: (progress) => onDownload(progress) }),
    });
    const { shape, classes } = data.dataset;
    let network = buildNetwork(config, shape, classes.length, source.from);
    if (!options.dryRun && !folder) {
      folder = RunFolder.create(options.out, config.name, shared);
      await source.keep(folder.store);
      await decider.keep(folder.store);
      folder.writeJson("config.json", config);
    }
    const recorded = options.resume === null ? null : folder?.readJson("run.json") as Recorded | null;
    const identity: Identity = {
      run: folder?.name ?? config.name,
      dataset: data.dataset.name + (data.substituted ? ` (instead of ${config.data.kind})` : ""),
      adapter: `${gpu.adapter.description} (${gpu.adapter.backend})`,
      profile: recorded?.profile ?? profile,
    };
    const choices = runChoices(options.resume === null ? null : folder?.readJson(USED_FILE) ?? null, tuned);
    const kernels = {
      choose: choices.choose,
      given: choices.given,
      save: () => folder?.writeJson(USED_FILE, usedKernels(choices)),
    };
    const { onEvent } = options;
    const { supervisor } = options;
    const hooks = stoppingOnce([...options.hooks ?? [], ...supervisor ? [supervisor.hooks] : []]);
    if (supervisor) signal.addEventListener("abort", supervisor.release);
    let attempt = options, notices = recorded?.notices ?? [];
    for (let losses = 0;; losses++) {
      const parts = {
        config,
        gpu,
        data,
        network,
        from: source.from,
        folder,
        policy,
        onEvent,
        ...supervisor && { supervisor },
        kernels,
        hooks,
        tuned: tuned?.path ?? null,
      };
      const mayReopen = folder !== null && losses < MAX_LOSSES;
      try {
        return await train(attempt, { ...parts, losses, mayReopen }, identity, notices);
      } catch (error) {
        if (!(error instanceof DeviceLoss) || !mayReopen) throw error;
        gpu.destroy();
        gpu = await openAgain(open, gpu, error).catch(async (none) => {
          await callHooks(hooks, "onStop", "failed").catch(() => {});
          throw none;
        });
        network = buildNetwork(config, shape, classes.length, source.from);
        attempt = { ...options, resume: folder!.path };
        notices = [
          ...notices,
          `the device was lost at step ${error.step} (${error.reason}): a new one goes on from the newest checkpoint`,
        ];
      }
    }
  } finally {
    if (options.supervisor) options.signal.removeEventListener("abort", options.supervisor.release);
    folder?.close();
    await shared?.close();
    gpu.destroy();
  }
}

/** Reads a fixed controller's schedule where it is a file. */
async function readSchedule(config: RunConfig): Promise<RunConfig> {
  const { controller } = config;
  if (controller.kind !== "fixed" || typeof controller.schedule !== "string") return config;
  const { readJson } = await import("./adapters/read_json.ts");
  const schedule = parseSchedule(readJson(controller.schedule), controller.schedule);
  const complete: RunConfig = { ...config, controller: { ...controller, schedule } };
  checkBlueprintNames(complete);
  return complete;
}

async function train(
  options: RunOptions,
  parts: RunParts,
  identity: Identity,
  earlier: readonly string[],
): Promise<RunResult> {
  const started = performance.now();
  const { config, gpu, data, network, folder } = parts;
  const profiler = options.profileKernels ? new KernelProfiler(gpu) : null;
  const hooks = [...parts.hooks, ...profiler ? [profiler.hooks] : []];
  const { openBus } = await import("./adapters/open_bus.ts");
  const far = await openBus(config, folder?.path ?? null);
  const workshop = await openWorkshop(
    options,
    parts,
    (text) => void session.bus.publish("notice", { level: "warning", text }),
  );
  let session: Session;
  try {
    session = createSession({ ...parts, hooks, ...workshop && { workshop }, ...far && { bus: far } });
  } catch (error) {
    workshop?.close();
    await far?.close();
    throw error;
  }
  const { trainer, bus, journal } = session;
  profiler?.follow(trainer);
  let begun = parts.losses > 0;
  try {
    const start = await session.start(options.resume !== null);
    const differs = parts.from && normalisationNotice(parts.from.description.input, session.input);
    const told = [...earlier, ...noticesOf(options, gpu, data, identity, start), ...differs ? [differs] : []];
    const notices = [...new Set(told)];
    folder?.writeJson("run.json", {
      ...identity,
      dataset: { name: identity.dataset, sha256: data.dataset.sha256, notice: data.notice },
      input: session.input,
      adapter: gpu.adapter,
      unsafeGpu: unsafe(options, gpu),
      tuned: parts.tuned,
      versions: versions(),
      notices,
    });
    parts.kernels.save();
    begun = true;
    await bus.publish("run.started", {
      ...identity,
      config: config.name,
      dryRun: options.dryRun,
      budgetFlops: trainer.ledger.budget,
      maxSteps: config.train.maxSteps ?? null,
      resumedAt: trainer.progress.step,
    });
    for (const text of notices) await bus.publish("notice", { level: "warning", text });
    const ending = options.dryRun ? await tryOneStep(session, gpu) : await finish(session, options.signal);
    journal.failed.throwIfAborted();
    const kernels = await profiler?.report();
    if (kernels) writeKernels(folder, kernels);
    parts.kernels.save();
    await bus.publish("run.finished", {
      run: identity.run,
      reason: ending.outcome,
      step: trainer.progress.step,
      loss: ending.test?.loss ?? null,
      accuracy: ending.test?.accuracy ?? null,
      weights: session.weights,
    });
    await bus.drain();
    journal.failed.throwIfAborted();
    folder?.syncLogs();
    notices.push(...undelivered(bus.deadLetters()));
    return {
      ...identity,
      ...ending,
      directory: folder?.path ?? null,
      steps: trainer.progress.step,
      flops: trainer.ledger.total,
      compilerFlops: folder ? await compilerFlops(folder.store) : 0,
      weights: session.weights,
      seconds: (performance.now() - started) / 1000,
      host: network.host,
      grown: network.sizeWith(trainer.progress.running),
      before: measured(trainer.progress.before, "validation"),
      seeds: seedFates(journal.edges, network.paramsOf),
      notices,
      ...kernels && { kernels },
    };
  } catch (error) {
    const { step } = trainer.progress;
    const reason = await gpu.lossReason();
    // A folder that could not be gone on with stays as it is, and a run that goes on has not ended.
    if (begun && (reason === null || !parts.mayReopen)) {
      // What went wrong first is what is told.
      await callHooks(hooks, "onStop", "failed").catch(() => {});
      const end = {
        run: identity.run,
        reason: "failed" as const,
        step,
        loss: null,
        accuracy: null,
        weights: null,
      };
      await bus.publish("run.finished", end);
    }
    await bus.drain();
    throw reason === null ? error : new DeviceLoss(reason, step, folder?.path ?? null, error);
  } finally {
    await session.destroy();
  }
}

/** Where blueprints are compiled, beside the training and with a device of its own; null for a run that grows nothing. */
async function openWorkshop(
  { dryRun }: RunOptions,
  { config, gpu, kernels }: RunParts,
  tell: (text: string) => void,
): Promise<Workshop | null> {
  if (dryRun || config.controller.kind === "off") return null;
  const { openFarWorkshop } = await import("../tezzeret/adapters/workshop_process.ts");
  const { precision } = config.engine;
  return openFarWorkshop({
    adapter: gpu.adapter,
    precision,
    batch: config.train.batch,
    thorough: !gpu.adapter.software,
    variants: kernels.given,
    instead: () => createWorkshop({ gpu, precision }),
    onInstead: (where) => tell(`blueprints are compiled ${where}`),
  });
}

/** What every surface must repeat. */
function noticesOf(
  options: RunOptions,
  gpu: Gpu,
  data: LoadedDataset,
  { profile }: Identity,
  { from, damaged }: Start,
): string[] {
  const notices = damaged.map((what) => `the run goes on from ${from}, an older checkpoint: ${what}`);
  if (options.resume !== null && from === null) {
    notices.push("the run had no checkpoint yet: it begins again");
  }
  if (options.resume === null && options.profile === "auto" && profile === "small") {
    notices.push(
      `no GPU found, only ${gpu.adapter.description}: the small profile is used (--profile full overrides)`,
    );
  }
  if (options.unsafeGpu) {
    notices.push(
      unsafe(options, gpu)
        ? "--unsafe-gpu: kernels run without bounds checks; a faulty one may corrupt results without a word"
        : `--unsafe-gpu has no effect on ${gpu.adapter.backend}, which has no such switch: bounds checks stay on`,
    );
  }
  if (data.notice !== null) notices.push(data.notice);
  return notices;
}

/** Whether kernels run without bounds checks. */
function unsafe({ unsafeGpu = false }: RunOptions, { adapter }: Gpu): boolean {
  return unsafeGpu && adapter.backend === "dawn";
}

function writeKernels(folder: RunFolder | null, kernels: KernelReport): void {
  folder?.writeJson("profile.json", { version: 1, ...kernels });
  folder?.writeJson("trace.json", traceOf(kernels));
}

type Ending = Pick<RunResult, "outcome" | "after" | "test" | "testViews" | "trainSeconds" | "dryRun">;
const NOT_OPENED = { after: null, test: null, testViews: null };

/** Trains to the end; then what is not fossil goes, and validation and test are opened. */
async function finish(session: Session, signal: AbortSignal): Promise<Ending> {
  const { trainer, journal } = session;
  const started = performance.now();
  const outcome = await trainer.run(AbortSignal.any([signal, journal.failed]));
  const trainSeconds = (performance.now() - started) / 1000;
  if (outcome === "completed") await trainer.save();
  session.requireKept();
  if (outcome !== "completed") return { ...NOT_OPENED, outcome, trainSeconds, dryRun: null };
  const fossils = seedsWith(trainer.progress.running, (mode) => mode === "fossil");
  await trainer.swap(await trainer.assembler.get(fossils));
  return {
    outcome,
    after: measured(await trainer.score("validation"), "validation"),
    test: measured(await trainer.score("test"), "test"),
    testViews: await scoreViews(trainer),
    trainSeconds,
    dryRun: null,
  };
}

async function tryOneStep({ trainer, network }: Session, gpu: Gpu): Promise<Ending> {
  const started = performance.now();
  const loss = await trainer.tryStep();
  const dryRun: DryRunReport = {
    layers: network.layers,
    memoryBytes: gpu.allocator.liveBytes,
    stepMs: performance.now() - started,
    loss,
  };
  return { ...NOT_OPENED, outcome: "completed", trainSeconds: 0, dryRun };
}

/** The second score of the test set, where one is asked for. */
async function scoreViews(trainer: Trainer): Promise<RunResult["testViews"]> {
  const { data } = trainer.parts.config;
  const views = data.kind === "spirals" ? undefined : data.testViews;
  if (views === undefined) return null;
  return { ...await trainer.score("test", "evaluation", views), split: "test", views };
}

function measured(score: Score | null, split: Measured["split"]): Measured | null {
  return score && { ...score, split };
}

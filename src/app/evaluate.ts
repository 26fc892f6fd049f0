/** Scores a network that was trained before: the checkpoint of a run, or an exported file. */
import type { RunConfig } from "../contracts/config.ts";
import type { PatientController } from "../contracts/control.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { seedsWith } from "../tolaria/mod.ts";
import type { Store } from "../urza/mod.ts";
import { createMemoryStore } from "../urza/mod.ts";
import { UserError } from "../util/errors.ts";
import { type ConfigSource, resolveConfig } from "./config.ts";
import type { LoadedNetwork } from "./export_file.ts";
import { chosenCheckpoint } from "./export_run.ts";
import { loadHost } from "./host_file.ts";
import { hostOfRun } from "./kept_host.ts";
import type { LoadedDataset } from "./loaded_dataset.ts";
import { buildNetwork } from "./network.ts";
import { normalisationNotice } from "./normalisation.ts";
import type { BackendChoice, ProfileChoice } from "./options.ts";
import { createSession } from "./session.ts";
import { runChoices, USED_FILE } from "./tuned_kernels.ts";

export interface EvaluateOptions {
  /** A run folder and which of its checkpoints, or a file that `export` wrote and the configuration that names its data. */
  readonly what:
    | { readonly directory: string; readonly checkpoint: string | null }
    | { readonly file: string; readonly config: ConfigSource; readonly profile: ProfileChoice };
  readonly split: "validation" | "test";
  readonly backend: BackendChoice;
  readonly signal: AbortSignal;
}

export interface EvaluationReport {
  /** The run, or the file. */
  readonly network: string;
  readonly checkpoint: string | null;
  readonly step: number;
  readonly dataset: string;
  readonly sha256: string;
  readonly split: "validation" | "test";
  readonly examples: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly parameters: number;
  readonly notices: readonly string[];
}

/** What is scored, and on what. */
interface Subject {
  readonly name: string;
  readonly config: RunConfig;
  readonly from: LoadedNetwork | null;
  /** Data that the network was trained on; null where nobody wrote it down. */
  readonly dataset: { readonly name: string; readonly sha256: string } | null;
  readonly kernels: unknown;
  /** Where the checkpoint is, and its name; null of a file, whose numbers are in `from`. */
  readonly saved: { readonly store: Store; readonly checkpoint: string } | null;
}

/**
 * Loss and accuracy of a network as a run scores its own at the end: fossils are part of it, what has not fossilised is
 * not, running statistics normalise. Nothing is written.
 *
 * @throws {UserError} where there is no such network, or the data is not that of its run.
 */
export async function evaluateSaved(options: EvaluateOptions): Promise<EvaluationReport> {
  const { openGpu } = await import("./adapters/open_gpu.ts");
  const { what, split, backend, signal } = options;
  const gpu = await openGpu(backend);
  try {
    const subject = await ("file" in what ? subjectOfFile(what, gpu) : subjectOfRun(what));
    const data = await dataOf(subject, signal);
    return await score(subject, data, gpu, split, signal);
  } finally {
    gpu.destroy();
  }
}

async function dataOf({ config, dataset }: Subject, signal: AbortSignal): Promise<LoadedDataset> {
  const { loadDataset } = await import("./adapters/load_dataset.ts");
  const data = await loadDataset(config.data, config.seed, { signal });
  if (dataset && data.dataset.sha256 !== dataset.sha256) {
    throw new UserError(
      `eval: want ${dataset.name} with SHA-256 ${dataset.sha256}, got ${data.dataset.name} with ` +
        `${data.dataset.sha256}; give the run its own data`,
    );
  }
  return data;
}

async function subjectOfRun(
  { directory, checkpoint }: Extract<EvaluateOptions["what"], { directory: string }>,
): Promise<Subject> {
  const { openRun } = await import("./adapters/export_files.ts");
  const { readRunSettings } = await import("./adapters/run_record.ts");
  const { config: file, record, kernels } = readRunSettings(directory, USED_FILE);
  const { store, name } = openRun(directory);
  const config = resolveConfig({ file, sets: [], flags: {} }, record.profile);
  return {
    name,
    config,
    from: await hostOfRun(config.host, store, name),
    dataset: record.dataset,
    kernels,
    saved: { store, checkpoint: await chosenCheckpoint(store, name, checkpoint) },
  };
}

async function subjectOfFile(
  { file, config: source, profile }: Extract<EvaluateOptions["what"], { file: string }>,
  { adapter }: Gpu,
): Promise<Subject> {
  const sets = [...source.sets, "host.kind=file", `host.path=${file}`];
  const meant = profile !== "auto" ? profile : adapter.software ? "small" : "full";
  const { config, from } = await loadHost(resolveConfig({ ...source, sets }, meant), null);
  return { name: file, config, from, dataset: null, kernels: null, saved: null };
}

/** Nobody decides: what was decided is in the checkpoint. */
const nobody = (config: RunConfig): PatientController => ({
  kind: config.controller.kind,
  decide: () => ({ action: { kind: "wait" }, why: "nothing is decided", warnings: [] }),
  save: () => null,
  restore() {},
});

async function score(
  { name, config, from, kernels, saved }: Subject,
  data: LoadedDataset,
  gpu: Gpu,
  split: EvaluateOptions["split"],
  signal: AbortSignal,
): Promise<EvaluationReport> {
  const { shape, classes } = data.dataset;
  const network = buildNetwork(config, shape, classes.length, from);
  const session = createSession({
    config,
    gpu,
    data,
    network,
    folder: {
      store: saved ? readOnly(saved.store, saved.checkpoint) : createMemoryStore(),
      record() {},
      syncLogs: () => ({}),
      truncateLogs() {},
      edges: () => [],
    },
    onEvent() {},
    controller: nobody(config),
    ...kernels !== null && { kernels: { choose: runChoices(kernels, null).choose, save() {} } },
  });
  try {
    await session.start(saved !== null);
    signal.throwIfAborted();
    const { trainer } = session;
    const fossils = seedsWith(trainer.progress.running, (mode) => mode === "fossil");
    await trainer.swap(await trainer.assembler.get(fossils));
    const { loss, accuracy } = await trainer.score(split);
    const differs = from && saved === null
      ? normalisationNotice(from.description.input, session.input)
      : null;
    return {
      network: name,
      checkpoint: saved?.checkpoint ?? null,
      step: from && saved === null ? from.description.origin.step : trainer.progress.step,
      dataset: data.dataset.name,
      sha256: data.dataset.sha256,
      split,
      examples: trainer.parts.examples.parts[split].count,
      loss,
      accuracy,
      parameters: network.sizeWith(fossils).params,
      notices: [data.notice, differs].filter((notice) => notice !== null),
    };
  } finally {
    await session.destroy();
  }
}

/** A store whose only checkpoint is this one, and on which nothing that is written leaves a trace. */
function readOnly(store: Store, checkpoint: string): Store {
  const scratch = createMemoryStore();
  return {
    ...scratch,
    get: (hash) => store.get(hash),
    readManifest: (kind, name) => store.readManifest(kind, name),
    listManifests: (kind) => Promise.resolve(kind === "checkpoint" ? [checkpoint] : []),
  };
}

/** The composition root of learning to decide: episodes, cloning, PPO, evaluations, and a policy file. */
import type { Observation } from "../contracts/control.ts";
import { POLICY_VERSION } from "../contracts/policy.ts";
import type { PolicyTraining } from "../contracts/policy_training.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { createController } from "../tamiyo/mod.ts";
import { createReplayBuffer } from "../tamiyo/rl/replay_buffer.ts";
import { PolicyLearner } from "../tamiyo/rl/policy_learner.ts";
import { createGraphPolicy } from "../tamiyo/policy/network.ts";
import { library } from "../tezzeret/mod.ts";
import { usageError } from "../util/errors.ts";
import { sha256 } from "../util/hash.ts";
import { canonicalJson, type Json } from "../util/json.ts";
import type { PolicyFolder } from "./adapters/policy_folder.ts";
import { formOf, loadPolicyFile, openPolicy } from "./policy.ts";
import { readPolicyCheckpoint, writePolicyCheckpoint } from "./policy_checkpoint.ts";
import { createEpisodeSource, evaluateController, TEACHERS } from "./policy_episodes.ts";
import { writePolicy } from "./policy_file.ts";
import { clone, iterate } from "./policy_lessons.ts";
import { type PolicyTrainingOptions, tell, type Work } from "./policy_work.ts";
import type { Task } from "./tasks.ts";
import { createTwins } from "./twins.ts";
import { ESPER_VERSION } from "./versions.ts";

export interface PolicyTrainingResult {
  readonly directory: string;
  readonly outcome: "completed" | "interrupted";
  readonly iterations: number;
  readonly episodes: Readonly<Record<string, number>>;
  /** Null after an interruption before the first evaluation. */
  readonly policy: {
    readonly path: string;
    readonly sha256: string;
    readonly score: number | null;
    readonly iteration: number;
  } | null;
}

/**
 * Trains a policy as the configuration says and writes it: the best that was evaluated.
 *
 * @throws {UserError} one line with cause and cure, where configuration, data, device or disk will not do.
 */
export async function trainPolicy(options: PolicyTrainingOptions): Promise<PolicyTrainingResult> {
  const { openGpu } = await import("./adapters/open_gpu.ts");
  const { PolicyFolder } = await import("./adapters/policy_folder.ts");
  const { config, tasks, signal } = options;
  checkSources(config, tasks);
  const gpu = await openGpu(options.backend);
  let folder: PolicyFolder | null = null;
  try {
    folder = options.resume === null
      ? PolicyFolder.create(options.out, config.name)
      : PolicyFolder.open(options.resume);
    if (options.resume === null) folder.write("config.json", JSON.stringify(config, null, 2) + "\n");
    const learner = await openLearner(gpu, config);
    const { store } = folder;
    const source = createEpisodeSource({ config, tasks, gpu, store, twins: createTwins(gpu, store), signal });
    try {
      return await train({
        options,
        folder,
        gpu,
        learner,
        source,
        configHash: await identity(config),
        hashes: await hashesOf(tasks),
        state: FRESH,
      });
    } finally {
      learner.destroy();
    }
  } finally {
    folder?.close();
    gpu.destroy();
  }
}

/** Learned from nothing yet. */
const NOTHING = "0".repeat(64);
const FRESH: Work["state"] = { iteration: 0, episodes: {}, blueprints: [], best: null, data: NOTHING };

/** Hash of what makes a training itself. How long it may last is not part of that. */
async function identity({ iterations: _, minutes: __, ...config }: PolicyTraining): Promise<string> {
  return await sha256(canonicalJson(JSON.parse(JSON.stringify(config))));
}

async function hashesOf(tasks: readonly Task[]): Promise<Record<string, string>> {
  const hashes = tasks.map(async ({ name, config }) => [name, await sha256(canonicalJson(config))] as const);
  return Object.fromEntries(await Promise.all(hashes));
}

async function train(work: Work): Promise<PolicyTrainingResult> {
  const { options: { config, signal, resume }, folder, learner } = work;
  const end = performance.now() + (config.minutes ?? Infinity) * 60_000;
  const earlier = resume === null ? null : await readPolicyCheckpoint(folder.store, work.configHash);
  folder.truncateLogs(earlier?.logs ?? {});
  try {
    if (earlier) {
      const { learner: saved, numbers, normalisation, ...state } = earlier.checkpoint;
      learner.network.restore!(normalisation);
      learner.restore(saved, numbers);
      work.state = state;
      await createReplayBuffer(folder.store, config.collect.keep).forgetFrom(state.iteration);
    } else {
      await clone(work);
      await evaluateAndKeep(work);
    }
    while (work.state.iteration < config.iterations && performance.now() < end) {
      signal.throwIfAborted();
      await iterate(work);
      const last = work.state.iteration === config.iterations || performance.now() >= end;
      if (last || work.state.iteration % config.evaluate.every === 0) await evaluateAndKeep(work);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    return result(work, "interrupted");
  }
  return result(work, "completed");
}

function checkSources({ collect, clone }: PolicyTraining, tasks: readonly Task[]): void {
  const real = collect.real > 0 || clone.real > 0;
  if (real && tasks.length === 0) {
    throw usageError("config: tasks.list: want a task for real episodes, got none");
  }
  if (collect.real + collect.simulated === 0) {
    throw usageError("config: collect: want an episode in an iteration, got none");
  }
}

/** A learner with fresh weights, or those of the file that the configuration names. */
async function openLearner(
  gpu: Gpu,
  { ppo, seed, from }: PolicyTraining,
): Promise<PolicyLearner<Observation>> {
  const options = {
    floor: ppo.floor,
    gradientClip: ppo.gradientClip,
    batch: ppo.batch,
    seed,
  };
  if (from === undefined) {
    return new PolicyLearner(gpu, createGraphPolicy(library.map(({ name }) => name)), options);
  }
  const { readPolicyFile } = await import("./adapters/policy_files.ts");
  const { network, weights } = loadPolicyFile(readPolicyFile(from), from);
  const numbers = Object.fromEntries(
    Object.entries(weights).map(([name, { data }]) => [name, data as Float32Array<ArrayBuffer>]),
  );
  return new PolicyLearner(gpu, network, options, numbers);
}

/** Evaluates the policy as it stands, keeps its file where none was better, and keeps a checkpoint. */
async function evaluateAndKeep(work: Work): Promise<void> {
  const { options: { config }, folder, gpu, learner, state, configHash } = work;
  const weights = await learner.weights();
  const bytes = writePolicy({
    manifest: {
      version: POLICY_VERSION,
      architecture: learner.network.name,
      normalisation: learner.network.save!() as Json,
      blueprints: state.blueprints,
      training: {
        config: configHash,
        seed: config.seed,
        iterations: state.iteration,
        episodes: state.episodes,
        data: state.data,
        adapter: gpu.adapter.description,
      },
      esper: ESPER_VERSION,
    },
    weights: Object.fromEntries(
      formOf(learner.network).parameters.map(({ name, shape }) => [name, { shape, data: weights[name] }]),
    ),
  });
  const scores = await scoresOf(config, bytes);
  const newest = config.evaluate.keep === "newest" || scores.policy === undefined;
  if (state.best === null || newest || scores.policy >= state.best.score) {
    const best = {
      score: scores.policy ?? 0,
      iteration: state.iteration,
      file: await folder.store.put(bytes),
    };
    work.state = { ...state, best };
    folder.write(FILE, bytes);
  }
  tell(work, { kind: "evaluation", step: state.iteration, scalars: scores });
  const checkpoint = {
    ...work.state,
    normalisation: learner.network.save!() as Json,
    learner: learner.save(),
    numbers: await learner.numbers(),
  };
  await writePolicyCheckpoint(folder.store, checkpoint, { config: configHash, logs: folder.syncLogs() });
}

/** File of the policy in a training's folder. */
const FILE = "policy.safetensors";

/** Mean scores on simulated tasks; empty where none are evaluated, and the newest policy is the best. */
async function scoresOf(config: PolicyTraining, bytes: Uint8Array): Promise<Record<string, number>> {
  if (config.evaluate.tasks === 0) return {};
  const policy = await openPolicy(bytes, FILE);
  const gnn = { kind: "gnn", sample: false } as const;
  return {
    policy: await evaluateController(config, (seed) => createController(gnn, seed, policy)),
    heuristic: await evaluateController(config, (seed) => createController(TEACHERS.heuristic, seed)),
    random: await evaluateController(config, (seed) => createController(TEACHERS.random, seed)),
  };
}

function result(
  { options, folder, state }: Work,
  outcome: PolicyTrainingResult["outcome"],
): PolicyTrainingResult {
  const { iteration: iterations, episodes, best } = state;
  const { config: { evaluate } } = options;
  return {
    directory: folder.path,
    outcome,
    iterations,
    episodes,
    policy: best && {
      path: `${folder.path}/${FILE}`,
      sha256: best.file,
      score: evaluate.tasks === 0 ? null : best.score,
      iteration: best.iteration,
    },
  };
}

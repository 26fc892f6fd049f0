/** The composition root of learning to decide: episodes, cloning, PPO, evaluations, and a policy file. */
import type { Observation } from "../contracts/control.ts";
import { POLICY_VERSION } from "../contracts/policy.ts";
import type { PolicyTraining } from "../contracts/policy_training.ts";
import { type KeptTrajectory, TRAJECTORY_VERSION } from "../contracts/trajectory.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { createController, playEpisode } from "../tamiyo/mod.ts";
import { createActor } from "../tamiyo/rl/actor.ts";
import { createReplayBuffer } from "../tamiyo/rl/replay_buffer.ts";
import { PolicyLearner } from "../tamiyo/rl/policy_learner.ts";
import { playTrajectory, samplesOf } from "../tamiyo/rl/rollout.ts";
import { createGraphPolicy } from "../tamiyo/policy/network.ts";
import { library } from "../tezzeret/mod.ts";
import { usageError } from "../util/errors.ts";
import { sha256 } from "../util/hash.ts";
import { canonicalJson, type Json } from "../util/json.ts";
import type { PolicyFolder, PolicyLogLine } from "./adapters/policy_folder.ts";
import type { BackendChoice } from "./options.ts";
import { formOf, loadPolicyFile, openPolicy } from "./policy.ts";
import { account, type Deed } from "./policy_account.ts";
import { type PolicyCheckpoint, readPolicyCheckpoint, writePolicyCheckpoint } from "./policy_checkpoint.ts";
import {
  createEpisodeSource,
  type EpisodeSource,
  evaluateController,
  SIMULATOR,
  TEACHERS,
} from "./policy_episodes.ts";
import { writePolicy } from "./policy_file.ts";
import { fitPolicy, imitate, weighed } from "./policy_fitting.ts";
import type { Task } from "./tasks.ts";
import { createTwins } from "./twins.ts";
import { ESPER_VERSION } from "./versions.ts";

export interface PolicyTrainingOptions {
  readonly config: PolicyTraining;
  /** Those of the configuration, with their data. */
  readonly tasks: readonly Task[];
  readonly backend: BackendChoice;
  /** Folder in which the training's folder is made. */
  readonly out: string;
  /** Folder to go on with; null begins a new training. */
  readonly resume: string | null;
  /** Aborted: the unfinished iteration is dropped, a checkpoint is kept. */
  readonly signal: AbortSignal;
  onLine(line: PolicyLogLine): void;
}

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

/** Everything that one training works with. */
interface Work {
  readonly options: PolicyTrainingOptions;
  readonly folder: PolicyFolder;
  readonly gpu: Gpu;
  readonly learner: PolicyLearner<Observation>;
  readonly source: EpisodeSource;
  readonly configHash: string;
  /** Of the tasks, by name. */
  readonly hashes: Readonly<Record<string, string>>;
  state: Omit<PolicyCheckpoint, "learner" | "normalisation" | "numbers">;
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

/** Watches teachers, takes the moments of what is seen, and imitates the better half of their episodes. */
async function clone(work: Work): Promise<void> {
  const { options: { config }, learner, source } = work, { clone, ppo, from } = config;
  if (from !== undefined) return;
  const played = [];
  for (const kind of clone.teachers) {
    const real = Math.round(clone.episodes * clone.real);
    played.push(
      ...await source.play(
        `clone.${kind}`,
        { simulated: clone.episodes - real, real },
        (environment, { seed }) => playEpisode(environment, createController(TEACHERS[kind], seed), seed),
      ),
    );
  }
  const seen = played.flatMap(({ result }) => result.steps.map(({ observation }) => observation));
  learner.network.adapt?.(seen);
  const better = played.toSorted((a, b) => b.result.return - a.result.return)
    .slice(0, Math.ceil(played.length / 2));
  const samples = better.flatMap(({ result: { steps } }) =>
    samplesOf(
      {
        transitions: steps.map((step) => ({ ...step, logProbability: 0, value: 0 })),
        bootstrap: 0,
        return: 0,
      },
      { gamma: 1, lambda: 1, scale: ppo.rewardScale },
    )
  );
  const fit = await imitate(learner, samples, config, { ...clone, label: "clone" });
  const deeds = played.map(({ job, result: { steps } }): Deed => ({
    ...job,
    observations: steps.map(({ observation }) => observation),
    actions: steps.map(({ action }) => action),
    rewards: steps.map(({ reward }) => reward),
  }));
  work.state = { ...work.state, ...await account(work.state, deeds) };
  const score = meanOf(played.map(({ result }) => result.return));
  tell(work, { kind: "clone", step: 0, scalars: { episodes: played.length, score, ...fit } });
}

/** One iteration of PPO: the policy plays, and learns from what it played. */
async function iterate(work: Work): Promise<void> {
  const { options: { config }, folder, learner, source, state, hashes } = work, { collect, ppo } = config;
  const started = performance.now();
  const actor = createActor(learner.network, await learner.weights());
  const count = ({ legal }: Observation) => legal.length;
  const played = await source.play(
    `iteration.${state.iteration}`,
    collect,
    (environment, { seed }) => playTrajectory(environment, actor, seed, { floor: ppo.floor, count }),
  );
  const collected = performance.now();
  const buffer = createReplayBuffer(folder.store, collect.keep), version = state.iteration;
  const before = collect.reuse ? await buffer.read(version - 1, version - 1) : [];
  const samples = [...played.map(({ result }) => result), ...before]
    .flatMap((trajectory) => samplesOf(trajectory, { ...ppo, scale: ppo.rewardScale }));
  const left = 1 - state.iteration / config.iterations;
  const fit = await fitPolicy(
    learner,
    samples,
    config,
    state.iteration,
    left,
  );
  const old = config.replay.epochs > 0 ? await buffer.read(0, version - 2) : [];
  const older = old.length > 0 ? await learnFromOlder(work, old, left) : {};
  const deeds = played.map(({ job, result: { transitions } }): Deed => ({
    ...job,
    observations: transitions.map(({ observation }) => observation),
    actions: transitions.map(({ action }) => action),
    rewards: transitions.map(({ reward }) => reward),
  }));
  await buffer.add(
    played.filter(({ job }) => job.task !== SIMULATOR).map(({ job, result }): KeptTrajectory => ({
      ...{ version: TRAJECTORY_VERSION, policy: version, ...job, taskHash: hashes[job.task] },
      ...{ transitions: [...result.transitions], bootstrap: result.bootstrap, return: result.return },
    })),
  );
  work.state = { ...state, ...await account(work.state, deeds), iteration: state.iteration + 1 };
  const returns = (simulated: boolean) =>
    played.filter(({ job }) => (job.task === SIMULATOR) === simulated).map(({ result }) => result.return);
  tell(work, {
    kind: "iteration",
    step: work.state.iteration,
    scalars: {
      ...collect.simulated > 0 && { simulated: meanOf(returns(true)) },
      ...collect.real > 0 && { real: meanOf(returns(false)) },
      decisions: samples.length,
      ...fit,
      ...older,
      secondsCollecting: (collected - started) / 1000,
      secondsLearning: (performance.now() - collected) / 1000,
    },
  });
}

/** Imitates what policies too old for PPO have played, by how much better it was than what is expected now. */
async function learnFromOlder(
  { options: { config }, learner, state }: Work,
  played: readonly KeptTrajectory[],
  left: number,
): Promise<Record<string, number>> {
  const { ppo, replay } = config;
  const actor = createActor(learner.network, await learner.weights());
  const samples = played.flatMap(({ transitions, ...rest }) => {
    const now = transitions.map((one) => ({ ...one, value: actor([one.observation]).values[0] }));
    return samplesOf({ ...rest, transitions: now }, { ...ppo, scale: ppo.rewardScale });
  });
  const fit = await imitate(learner, weighed(samples, replay.temperature), config, {
    ...{ label: `replay.${state.iteration}`, epochs: replay.epochs, learningRate: ppo.learningRate * left },
  });
  return { older: fit.samples, olderCrossEntropy: fit.crossEntropy };
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function tell({ options, folder }: Work, line: PolicyLogLine): void {
  folder.log(line);
  options.onLine(line);
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

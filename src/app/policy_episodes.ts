/** Where a policy in training gets its episodes: the simulator, and real runs of tasks. */
import { type Controller, HeuristicConfig, type Observation } from "../contracts/control.ts";
import type { PolicyTraining } from "../contracts/policy_training.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { type Environment, playEpisode } from "../tamiyo/mod.ts";
import type { SimulatedTask } from "../tamiyo/simulator/task.ts";
import type { Store } from "../urza/mod.ts";
import { inLanes } from "../util/lanes.ts";
import { prng } from "../util/prng.ts";
import { createEpisodes } from "./episodes.ts";
import { createSimulation } from "./simulation.ts";
import { nthTask, type TaskSplit } from "./task_family.ts";
import type { Task } from "./tasks.ts";
import type { Twins } from "./twins.ts";

/** An episode that is to be played. */
export interface EpisodeJob {
  readonly task: string;
  /** Of the environment, and of what chance there is in deciding. */
  readonly seed: number;
}

export interface EpisodeSource {
  /**
   * Plays episodes, the simulated ones first, each with its own stream of chance: what is played depends on the label, the
   * seed and the policy, and not on what ran beside what.
   *
   * @throws {unknown} the signal's reason, once it is aborted.
   */
  play<R>(
    label: string,
    counts: { readonly simulated: number; readonly real: number },
    play: (environment: Environment<Observation>, job: EpisodeJob) => Promise<R>,
  ): Promise<{ readonly job: EpisodeJob; readonly result: R; readonly score: number | null }[]>;
}

export interface EpisodeSourceParts {
  readonly config: PolicyTraining;
  readonly tasks: readonly Task[];
  readonly gpu: Gpu;
  readonly store: Store;
  readonly twins: Twins;
  readonly signal: AbortSignal;
}

/** Controllers to learn from, with windows as long as short runs allow. */
export const TEACHERS = {
  heuristic: HeuristicConfig.parse({
    ...{ kind: "heuristic", germinateFrom: 0.02, everyTicks: 3, pruneAfter: 4, confidence: 0 },
  }),
  random: { kind: "random", germinate: 0.2 },
} as const;

/** Mean final score of a controller on simulated tasks of hosts that nothing is learned on, the same at each call. */
export async function evaluateController(
  { reward, evaluate: { tasks, episodes } }: PolicyTraining,
  controllerFor: (seed: number) => Pick<Controller, "decide">,
): Promise<number> {
  let total = 0;
  for (let k = 0; k < tasks; k++) {
    const simulation = createSimulation(taskAt("heldOut", k), { reward });
    for (let seed = 1; seed <= episodes; seed++) {
      await playEpisode(simulation, controllerFor(seed), seed);
      total += simulation.score!;
    }
  }
  return total / (tasks * episodes);
}

/** Rich tasks and open ones take turns. */
const taskAt = (split: TaskSplit, k: number): SimulatedTask =>
  nthTask(split, k >> 1, k % 2 === 0 ? "rich" : "open");

/** Simulated tasks to learn on. */
const SIMULATED_TASKS = 512;
/** Seeds below are kept for evaluations. */
const FIRST_SEED = 2 ** 16;
/** What logs call simulated episodes. */
export const SIMULATOR = "simulator";

export function createEpisodeSource(parts: EpisodeSourceParts): EpisodeSource {
  const { config, tasks, gpu, store, twins, signal } = parts;
  const { reward, collect } = config;
  const simulations = new Map<number, ReturnType<typeof createSimulation>>();
  function simulationOf(task: number) {
    const known = simulations.get(task) ?? createSimulation(taskAt("training", task), { reward });
    simulations.set(task, known);
    return known;
  }

  return {
    async play(label, { simulated, real }, play) {
      const chance = prng(config.seed, `policy.${label}`);
      const seedOf = () => FIRST_SEED + chance.below(2 ** 32 - FIRST_SEED);
      const dreams = Array.from(
        { length: simulated },
        () => ({ seed: seedOf(), task: chance.below(SIMULATED_TASKS) }),
      );
      const first = chance.below(Math.max(1, tasks.length));
      const runs = Array.from(
        { length: real },
        (_, k) => ({ seed: seedOf(), task: tasks[(first + k) % tasks.length] }),
      );

      const played = [];
      for (const { seed, task } of dreams) {
        signal.throwIfAborted();
        const simulation = simulationOf(task);
        const job = { task: SIMULATOR, seed };
        const result = await play(simulation, job);
        played.push({ job, result, score: simulation.score });
      }
      const ran = await inLanes(runs, collect.lanes, async ({ seed, task }) => {
        signal.throwIfAborted();
        const { decisions } = collect;
        const episodes = createEpisodes({
          ...{ gpu, task, twins, reward, store },
          ...decisions !== undefined && { decisions },
        });
        const job = { task: task.name, seed };
        try {
          return { job, result: await play(episodes, job), score: episodes.summary?.score ?? null };
        } finally {
          await episodes.close();
        }
      });
      return [...played, ...ran];
    },
  };
}

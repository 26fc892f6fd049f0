/** A thread that plays episodes one after the other, on a device of its own. Started by `bench/policies.ts`. */
import { openGpu } from "../../src/app/adapters/open_gpu.ts";
import { createEpisodes } from "../../src/app/episodes.ts";
import type { BackendChoice } from "../../src/app/options.ts";
import { createTwins } from "../../src/app/twins.ts";
import { RewardConfig } from "../../src/contracts/reward.ts";
import { playEpisode } from "../../src/tamiyo/mod.ts";
import { createMemoryStore } from "../../src/urza/mod.ts";
import { plansOf, readArms, readTasks } from "./policy_arms.ts";
import type { Episode } from "./policy_table.ts";

/** What a thread is told once, before its first piece of work. */
export interface Setting {
  readonly backend: string;
  readonly tasks: string;
  readonly sets: readonly string[];
  readonly arms: string;
  readonly policies: readonly string[];
}

/** Arms that play the same task with the same seed, and so share its twin. */
export interface Piece {
  readonly task: string;
  readonly seed: number;
  readonly arms: readonly string[];
}

export type Order = { readonly setting: Setting } | { readonly piece: Piece };
/** An episode, or null: the work asked for is done. */
export type Answer = Episode | null;

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Order>) => void;
  postMessage(answer: Answer): void;
};

async function open({ backend, tasks, sets, arms, policies }: Setting) {
  const gpu = await openGpu(backend as BackendChoice), store = createMemoryStore();
  const list = readTasks(tasks, undefined, sets);
  return {
    ...{ gpu, store, tasks: list, arms: await readArms(arms, policies), reward: RewardConfig.parse({}) },
    twins: createTwins(gpu, store),
  };
}

let opened: ReturnType<typeof open>;

scope.onmessage = async ({ data }) => {
  if ("setting" in data) opened = open(data.setting);
  const { gpu, store, twins, tasks, arms, reward } = await opened;
  if ("piece" in data) {
    const { seed, task: name, arms: names } = data.piece;
    const task = tasks.find((one) => one.name === name)!;
    const makers = { ...arms, ...plansOf(task) };
    for (const arm of names) {
      const episodes = createEpisodes({ gpu, task, twins, reward, store });
      await playEpisode(episodes, makers[arm](task, seed), seed);
      const { score, loss, params, return: _, fossils, ...rest } = episodes.summary!;
      scope.postMessage({
        ...rest,
        ...{ arm, task: name, score: score!, loss: loss!, params: params!, fossils },
      });
    }
  }
  scope.postMessage(null);
};

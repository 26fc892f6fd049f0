/** Simulated runs: learning curves by formula, everything else as in real ones. */
import type { RunConfig } from "../contracts/config.ts";
import { RewardConfig } from "../contracts/reward.ts";
import type { ModelGraph } from "../contracts/model_graph.ts";
import { type Kasmina, legalActions } from "../kasmina/mod.ts";
import { createSimulator, type Simulator } from "../tamiyo/simulator/simulator.ts";
import type { SimulatedTask } from "../tamiyo/simulator/task.ts";
import type { Terms } from "../tamiyo/simulator/terms.ts";
import { closingActions, modeOf } from "../tolaria/mod.ts";
import { examplesOf } from "./examples.ts";
import { buildNetwork, type Network } from "./network.ts";

export interface SimulationOptions {
  /** Default: that of real episodes. */
  readonly reward?: RewardConfig;
  /** Whether measurements scatter. Default true. */
  readonly noisy?: boolean;
}

/** What says nothing of how a slot goes on: which seed in a row it holds, and how many it has lost. */
const PAST = ["errors", "generation"];

/**
 * A simulated task with the host's real graph, real sizes of seeds and the lifecycle of real runs.
 *
 * @example
 * ```ts
 * import { createSimulation } from "./simulation.ts";
 * import { drawTasks } from "./task_family.ts";
 * const [task] = drawTasks("training", 1);
 * const run = createSimulation(task);
 * let { legal } = run.reset(7), ended = false, total = 0;
 * while (!ended) {
 *   const step = run.step(legal.length - 1);
 *   ({ observation: { legal }, terminated: ended } = step);
 *   total += step.reward;
 * }
 * if (Math.abs(total - run.score!) > 1e-9) throw new Error();
 * ```
 */
export function createSimulation(task: SimulatedTask, options: SimulationOptions = {}): Simulator {
  const { config, effects } = task;
  const { network, terms } = stage(config);
  const { kasmina } = network;
  const { growth } = config;
  const graphs = new Map<string, ModelGraph>();
  return createSimulator({
    terms,
    effects,
    reward: options.reward ?? RewardConfig.parse(undefined),
    noisy: options.noisy ?? true,
    rules: {
      lifecycle: kasmina,
      legal: (context) => legalActions(kasmina, growth.blueprints, context),
      closing: (legal, ticksLeft) => closingActions(legal, ticksLeft, growth.gates.blendOutTicks),
      modeOf: (stage) => modeOf(stage, growth.incubation),
      analyse(blueprints) {
        const key = JSON.stringify(blueprints);
        const graph = graphs.get(key) ?? network.analyse(planted(blueprints));
        graphs.set(key, graph);
        return graph;
      },
      key: () => keyOf(kasmina),
    },
  });
}

function stage(config: RunConfig): { network: Network; terms: Terms } {
  const network = buildNetwork(config, ...examplesOf(config.data));
  const { host, layers, candidates } = network;
  return {
    network,
    terms: { config, host, first: layers[0].flops, candidates, behind: flopsBehind(network) },
  };
}

/** Sizes and times of a configuration's simulated runs. */
export const termsOf = (config: RunConfig): Terms => stage(config).terms;

const planted = (blueprints: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(blueprints).map((
      [slot, blueprint],
    ) => [slot, { seed: `${slot}/1`, blueprint, mode: "blend" as const }]),
  );

function keyOf(kasmina: Kasmina): string {
  const { columns, blueprint, doom } = kasmina.toJSON();
  const lasting = Object.entries(columns).filter(([key]) => !PAST.includes(key)).map(([, values]) => values);
  return JSON.stringify([blueprint, doom.map((fate) => fate?.reason), lasting]);
}

/** Forward FLOPs for one example of the layers behind each slot. */
function flopsBehind({ layers, model }: Network): Record<string, number> {
  const behind = new Map<string, number>();
  layers.reduceRight((flops, layer) => {
    behind.set(layer.name, flops);
    return flops + layer.flops;
  }, 0);
  return Object.fromEntries(model.slots.map((slot) => [slot, behind.get(slot)!]));
}

// What are policies worth where the best that can be done is known? Plays controllers on the simulator's task family: value in
// per cent (0 is to do nothing, 100 the optimum) and regret in nats, as means over tasks and seeds with bootstrap intervals;
// then what becomes of the best plan where it begins late.
//
//   deno run -A bench/simulator.ts [--split heldOut] [--tasks 12] [--seeds 20] [--policy NAME=FILE]…
import { parseArgs } from "node:util";
import { readPolicyFile } from "../src/app/adapters/policy_files.ts";
import { openPolicy } from "../src/app/policy.ts";
import { createSimulation } from "../src/app/simulation.ts";
import { drawTasks, type TaskSplit } from "../src/app/task_family.ts";
import { type Controller, HeuristicConfig } from "../src/contracts/control.ts";
import { renderTable } from "../src/report/table.ts";
import { createController, playEpisode } from "../src/tamiyo/mod.ts";
import { findOptimum } from "../src/tamiyo/simulator/optimum.ts";
import type { SimulatedTask } from "../src/tamiyo/simulator/task.ts";
import { planned } from "./support/planned.ts";
import { bootstrap, type Strata } from "../src/util/scores.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    split: { type: "string", default: "heldOut" },
    tasks: { type: "string", default: "12" },
    seeds: { type: "string", default: "20" },
    policy: { type: "string", multiple: true, default: [] },
  },
});

type Make = (seed: number, task: SimulatedTask) => Pick<Controller, "decide">;

/** Useful blueprints, the best one first. */
const ORDER = ["conv3", "bottleneck", "pointwise", "se"];
/** Least ticks from one seed to the next. */
const SEED_TICKS = 9;

const slotsOf = ({ effects }: SimulatedTask) => Object.keys(effects.seeds);

/** Sows the first of these blueprints that the task has in these slots, one after the other. */
function inTurn({ config: { growth } }: SimulatedTask, slots: readonly string[], order: readonly string[]) {
  const blueprint = order.find((name) => growth.blueprints.includes(name))!;
  return planned(slots.map((slot, k) => ({ tick: 1 + SEED_TICKS * k, slot, blueprint })));
}

const arms: Record<string, Make> = {
  off: (seed) => createController({ kind: "off" }, seed),
  random: (seed) => createController({ kind: "random", germinate: 0.2 }, seed),
  fixed: (_, task) => inTurn(task, slotsOf(task), task.config.growth.blueprints),
  // As one would who knew which blueprints are good, and that later slots are worth more.
  "fixed, informed": (_, task) => inTurn(task, slotsOf(task).toReversed(), ORDER),
  heuristic: (seed) => createController(HeuristicConfig.parse({ kind: "heuristic" }), seed),
  "heuristic, early": (seed) =>
    createController(
      HeuristicConfig.parse({
        kind: "heuristic",
        germinateFrom: 0.02,
        everyTicks: 3,
        pruneAfter: 4,
        confidence: 0,
      }),
      seed,
    ),
};
for (const given of values.policy) {
  const [name, file] = given.split("=");
  const policy = await openPolicy(readPolicyFile(file), file ?? name);
  arms[name] = (seed) => createController({ kind: "gnn", sample: false }, seed, policy);
}

const seeds = Array.from({ length: Number(values.seeds) }, (_, k) => 5000 + k);
const tasks = drawTasks(values.split as TaskSplit, Number(values.tasks)).map((task) => {
  const run = createSimulation(task), exact = createSimulation(task, { noisy: false });
  return { task, run, exact, best: findOptimum(exact) };
});

const mean = (all: readonly number[]) => all.reduce((sum, value) => sum + value, 0) / all.length;
const meanOf = ([strata]: readonly Strata[]) => mean(strata.map(mean));
const shown = (strata: Strata, digits: number) => {
  const { value, low, high } = bootstrap([strata], meanOf);
  return `${value.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
};

const rows: string[][] = [];
for (const [name, make] of Object.entries(arms)) {
  const scores: number[][] = [];
  for (const { task, run } of tasks) {
    const row: number[] = [];
    for (const seed of seeds) {
      await playEpisode(run, make(seed, task), seed);
      row.push(run.score!);
    }
    scores.push(row);
  }
  rows.push([
    name,
    shown(scores.map((row, k) => row.map((score) => 100 * score / tasks[k].best.score)), 1),
    shown(scores.map((row, k) => row.map((score) => tasks[k].best.score - score)), 4),
  ]);
}
rows.push(["optimum", "100", "0"]);
console.log(`${tasks.length} ${values.split} tasks, ${seeds.length} seeds; mean (95 % interval)\n`);
console.log(renderTable(["controller", "value, % of optimum", "regret, nats"], rows).join("\n"));

const late = [0, 2, 4, 8, 12].map((ticks) => {
  const worth = tasks.map(({ exact, best: { plan, score } }) => {
    let next = -ticks, { legal } = exact.reset(0);
    for (let ended = false; !ended;) {
      const wanted = JSON.stringify(plan[next++]);
      const at = Math.max(0, legal.findIndex((action) => JSON.stringify(action) === wanted));
      const step = exact.step(at);
      ({ terminated: ended, observation: { legal } } = step);
    }
    return 100 * exact.score! / score;
  });
  return [String(ticks), mean(worth).toFixed(1)];
});
console.log(`\n${renderTable(["best plan begun late by, ticks", "value, %"], late).join("\n")}`);

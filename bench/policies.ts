// Which controller grows best? Plays episodes, each a whole training run, with several controllers on tasks and seeds that no
// policy was trained on, and makes tables of what was played: interquartile means with bootstrap intervals, probability of
// improvement, and regret against all plans on the smallest task.
//
//   deno run -A bench/policies.ts --play out.jsonl [--tasks configs/policies/held_out.json] [--task NAME,…] [--seeds 20]
//     [--first 1000] [--arms off,random,fixed,heuristic] [--policy NAME[=FILE]]… [--search] [--shard 0/1] [--lanes 2]
//     [--set KEY=VALUE] [--backend auto]
//   deno run -A bench/policies.ts --table out.jsonl [--table more.jsonl] [--reference heuristic]
//
// Several processes may share the work: --shard 3/8 plays every eighth (task, seed), from the fourth on.
import { parseArgs } from "node:util";
import { loadDataset } from "../src/app/adapters/load_dataset.ts";
import { openGpu } from "../src/app/adapters/open_gpu.ts";
import { readPolicyFile } from "../src/app/adapters/policy_files.ts";
import { resolveConfig } from "../src/app/config.ts";
import { createEpisodes } from "../src/app/episodes.ts";
import type { BackendChoice } from "../src/app/options.ts";
import { openPolicy } from "../src/app/policy.ts";
import { createTask, type Task } from "../src/app/tasks.ts";
import { createTwins } from "../src/app/twins.ts";
import { readConfig } from "../src/cli/config_file.ts";
import { type Controller, HeuristicConfig } from "../src/contracts/control.ts";
import { RewardConfig } from "../src/contracts/reward.ts";
import { TaskList } from "../src/contracts/tasks.ts";
import { createController, playEpisode } from "../src/tamiyo/mod.ts";
import { createMemoryStore } from "../src/urza/mod.ts";
import { allPlans, planned, type Sowing } from "./support/planned.ts";
import { armTable, comparable, type Episode, PLAN, regretTable } from "./support/policy_table.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    play: { type: "string" },
    table: { type: "string", multiple: true },
    tasks: { type: "string", default: "configs/policies/held_out.json" },
    task: { type: "string" },
    seeds: { type: "string", default: "20" },
    first: { type: "string", default: "1000" },
    arms: { type: "string", default: "off,random,fixed,heuristic" },
    policy: { type: "string", multiple: true, default: [] },
    search: { type: "boolean", default: false },
    shard: { type: "string", default: "0/1" },
    lanes: { type: "string", default: "2" },
    set: { type: "string", multiple: true, default: [] },
    backend: { type: "string", default: "auto" },
    reference: { type: "string", default: "heuristic" },
  },
});

type Decides = Pick<Controller, "decide">;

type Make = (task: Task, seed: number) => Decides;

/** Blueprints in the order that one who knows them would try them in. */
const ORDER = ["conv3", "basic", "bottleneck", "pointwise", "mlp", "lowrank", "se", "dwsep", "affine"];

/** The heuristic with a window as long as these short runs allow, and the confidence of their gates. */
const heuristic = (order: readonly string[]) =>
  HeuristicConfig.parse({
    ...{ kind: "heuristic", germinateFrom: 0.02, everyTicks: 3, pruneAfter: 4, confidence: 0, order },
  });

/** Controllers by name, made anew for each episode. */
const ARMS: Record<string, Make> = {
  off: (_, seed) => createController({ kind: "off" }, seed),
  random: (_, seed) => createController({ kind: "random", germinate: 0.2 }, seed),
  fixed: () => periodic(),
  heuristic: (_, seed) => createController(heuristic([]), seed),
  "heuristic told the order": (_, seed) => createController(heuristic(ORDER), seed),
};

/** Sows the blueprint that is best by common knowledge, the last slot first, every fourth tick; it looks at nothing else. */
function periodic(): Decides {
  let plan: Decides | null = null;
  return {
    decide(observation) {
      const { slots, candidates } = observation;
      plan ??= planned(
        slots.toReversed().map(({ slot }, k): Sowing => ({
          tick: 1 + 4 * k,
          slot,
          blueprint: ORDER.find((name) => Object.hasOwn(candidates[slot], name)) ?? "none fits",
        })),
      );
      return plan.decide(observation);
    },
  };
}

/** Ticks at which a search sows. */
const SEARCH_TICKS = [1, 5];

function plansOf({ config: { host, growth } }: Task): Record<string, Make> {
  const count = host.kind === "mlp" ? host.hidden.length : host.kind === "cnn" ? host.channels.length : 0;
  const slots = Array.from({ length: count }, (_, k) => `${host.kind === "mlp" ? "layer" : "block"}${k + 1}`);
  const plans = allPlans(slots, growth.blueprints, SEARCH_TICKS);
  const nameOf = (plan: readonly Sowing[]) =>
    plan.map(({ tick, slot, blueprint }) => `${tick}:${slot}:${blueprint}`).join(" ") || "nothing";
  return Object.fromEntries(plans.map((plan) => [PLAN + nameOf(plan), () => planned(plan)]));
}

/** The arms that were asked for, trained policies included. */
async function readArms(): Promise<Record<string, Make>> {
  const named = values.arms.split(",").filter((name) => name !== "").map((name) =>
    [name, ARMS[name]] as const
  );
  const unknown = named.find(([, make]) => !make);
  if (unknown) {
    throw new Error(`policies: want arms out of ${Object.keys(ARMS).join(", ")}, got "${unknown[0]}"`);
  }
  const trained = await Promise.all(values.policy.map(async (text) => {
    const [name, path] = text.split("=");
    const policy = await openPolicy(readPolicyFile(path), path ?? "the default");
    const make: Make = (_, seed) => createController({ kind: "gnn", sample: false }, seed, policy);
    return [name, make] as const;
  }));
  return Object.fromEntries([...named, ...trained]);
}

function readTasks(): Task[] {
  const { set, list } = TaskList.parse(JSON.parse(Deno.readTextFileSync(values.tasks)));
  const wanted = values.task?.split(",");
  return list.filter(({ name }) => wanted?.includes(name) ?? true).map((spec) =>
    createTask(
      spec.name,
      resolveConfig(
        { file: readConfig(spec.config), sets: [...set, ...spec.set, ...values.set], flags: {} },
        spec.profile,
      ),
      loadDataset,
    )
  );
}

async function play(path: string): Promise<void> {
  const gpu = await openGpu(values.backend as BackendChoice);
  const store = createMemoryStore(), twins = createTwins(gpu, store);
  const [shard, shards] = values.shard.split("/").map(Number);
  const tasks = readTasks(), arms = await readArms();
  const seeds = Array.from({ length: Number(values.seeds) }, (_, k) => Number(values.first) + k);
  const jobs = seeds.flatMap((seed) => tasks.map((task) => ({ task, seed })))
    .filter((_, k) => k % shards === shard)
    .flatMap(({ task, seed }) =>
      Object.entries({ ...arms, ...values.search && plansOf(task) }).map(([arm, make]) => ({
        task,
        seed,
        arm,
        make,
      }))
    );

  async function lane(): Promise<void> {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const { task, seed, arm, make } = job;
      const episodes = createEpisodes({ gpu, task, twins, reward: RewardConfig.parse({}), store });
      await playEpisode(episodes, make(task, seed), seed);
      const { score, loss, params, return: _, fossils: __, ...rest } = episodes.summary!;
      const line: Episode = { ...rest, arm, task: task.name, score: score!, loss: loss!, params: params! };
      await Deno.writeTextFile(path, JSON.stringify(line) + "\n", { append: true });
    }
  }
  await Promise.all(Array.from({ length: Number(values.lanes) }, lane));
  gpu.destroy();
}

if (values.play !== undefined) await play(values.play);
if (values.table) {
  const lines = (path: string) => Deno.readTextFileSync(path).split("\n").filter((line) => line !== "");
  const episodes = values.table.flatMap(lines).map((line) => JSON.parse(line) as Episode);
  const played = episodes.filter(({ arm }) => !arm.startsWith(PLAN)), whole = comparable(played);
  const left = played.length - whole.length;
  if (left > 0) console.log(`${left} episodes left out, whose task and seed not every arm has played\n`);
  const tables = [armTable(whole, values.reference), regretTable(episodes)];
  console.log(tables.filter((table) => table.length > 0).map((table) => table.join("\n")).join("\n\n"));
}

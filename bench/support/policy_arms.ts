/** Tasks that policies are compared on, and the controllers that play them, by name. */
import { loadDataset } from "../../src/app/adapters/load_dataset.ts";
import { readPolicyFile } from "../../src/app/adapters/policy_files.ts";
import { resolveConfig } from "../../src/app/config.ts";
import { openPolicy } from "../../src/app/policy.ts";
import { createTask, type Task } from "../../src/app/tasks.ts";
import { readConfig } from "../../src/cli/config_file.ts";
import { type Controller, HeuristicConfig } from "../../src/contracts/control.ts";
import type { RunConfig } from "../../src/contracts/config.ts";
import { TaskList } from "../../src/contracts/tasks.ts";
import { createController } from "../../src/tamiyo/mod.ts";
import { allPlans, planned, type Sowing } from "./planned.ts";
import { PLAN } from "./policy_table.ts";

type Decides = Pick<Controller, "decide">;

/** A controller made anew for an episode. */
export type Make = (task: Task, seed: number) => Decides;

/** Blueprints in the order that one who knows them would try them in. */
const ORDER = ["conv3", "basic", "bottleneck", "pointwise", "mlp", "lowrank", "se", "dwsep", "affine"];

/** The heuristic with a window as long as these short runs allow, and the confidence of their gates. */
const heuristic = (order: readonly string[]) =>
  HeuristicConfig.parse({
    ...{ kind: "heuristic", germinateFrom: 0.02, everyTicks: 3, pruneAfter: 4, confidence: 0, order },
  });

const ARMS: Readonly<Record<string, Make>> = {
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

/** Every plan of at most one seed a slot, by its name. */
export function plansOf({ config: { host, growth } }: Task): Record<string, Make> {
  const count = host.kind === "mlp" ? host.hidden.length : host.kind === "cnn" ? host.channels.length : 0;
  const slots = Array.from({ length: count }, (_, k) => `${host.kind === "mlp" ? "layer" : "block"}${k + 1}`);
  const plans = allPlans(slots, growth.blueprints, SEARCH_TICKS);
  const nameOf = (plan: readonly Sowing[]) =>
    plan.map(({ tick, slot, blueprint }) => `${tick}:${slot}:${blueprint}`).join(" ") || "nothing";
  return Object.fromEntries(plans.map((plan) => [PLAN + nameOf(plan), () => planned(plan)]));
}

/**
 * Controllers by name.
 *
 * @param names Separated by commas.
 * @param policies Trained ones: NAME, or NAME=FILE.
 * @throws {Error} where one of the names is nobody's.
 */
export async function readArms(names: string, policies: readonly string[]): Promise<Record<string, Make>> {
  const named = names.split(",").filter((name) => name !== "").map((name) => [name, ARMS[name]] as const);
  const unknown = named.find(([, make]) => !make);
  if (unknown) {
    throw new Error(`policies: want arms out of ${Object.keys(ARMS).join(", ")}, got "${unknown[0]}"`);
  }
  const trained = await Promise.all(policies.map(async (text) => {
    const [name, path] = text.split("=");
    const policy = await openPolicy(readPolicyFile(path), path ?? "the default");
    const make: Make = (_, seed) => createController({ kind: "gnn", sample: false }, seed, policy);
    return [name, make] as const;
  }));
  return Object.fromEntries([...named, ...trained]);
}

/**
 * Tasks of a list.
 *
 * @param wanted Names; undefined: all.
 * @param sets Laid over each.
 */
export function readTasks(
  path: string,
  wanted: readonly string[] | undefined,
  sets: readonly string[],
): Task[] {
  const { set, list } = TaskList.parse(JSON.parse(Deno.readTextFileSync(path)));
  return list.filter(({ name }) => wanted?.includes(name) ?? true).map((spec) => {
    const config = resolveConfig(
      { file: readConfig(spec.config), sets: [...set, ...spec.set, ...sets], flags: {} },
      spec.profile,
    );
    // Policies are compared on the data that the task names, or not at all.
    const { whenUnavailable: _, ...data } = { whenUnavailable: undefined, ...config.data };
    return createTask(spec.name, { ...config, data: data as RunConfig["data"] }, loadDataset);
  });
}

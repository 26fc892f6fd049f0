/** `train-policy`: how to decide is learned. */
import { tmpdir } from "node:os";
import { loadDataset } from "../app/adapters/load_dataset.ts";
import { resolveConfig } from "../app/config.ts";
import { BACKEND_CHOICES, type BackendChoice } from "../app/options.ts";
import { type PolicyFlags, resolvePolicyTraining } from "../app/policy_config.ts";
import { createTask, type Task } from "../app/tasks.ts";
import type { PolicyTraining } from "../contracts/policy_training.ts";
import { policyLine, policySummary } from "../report/policy_lines.ts";
import { EXIT_FAILURE, EXIT_INTERRUPTED, usageError } from "../util/errors.ts";
import type { Command, Values } from "./command.ts";
import { configNames, POLICY_CONFIGS, readConfig, readRun } from "./config_file.ts";
import { fleetOptions, GIVING_OPTIONS } from "./fleet_options.ts";
import { withInterrupt } from "./interrupt.ts";
import { print, printError } from "./output.ts";
import { withFleet } from "./with_fleet.ts";

const DEFAULT_OUT = "runs";

function flagsOf(values: Values): PolicyFlags {
  return {
    ...values.seed !== undefined && { seed: values.seed as number },
    ...values.iterations !== undefined && { iterations: values.iterations as number },
    ...values.minutes !== undefined && { minutes: values.minutes as number },
  };
}

/** The tasks that a configuration names, each with its own run configuration. */
function tasksOf({ tasks: { set, list } }: PolicyTraining): Task[] {
  return list.map(({ name, config, profile, set: own }) =>
    createTask(
      name,
      resolveConfig({ file: readConfig(config), sets: [...set, ...own], flags: {} }, profile),
      loadDataset,
    )
  );
}

/** As many trainings as there are seeds, each a job of the fleet's. */
async function giveAway(
  giving: NonNullable<ReturnType<typeof fleetOptions>>,
  config: PolicyTraining,
  values: Values,
  out: string,
): Promise<number> {
  const conflict = ["resume", "json"].find((name) => values[name] !== undefined);
  if (conflict) {
    throw usageError(`--${conflict}: not together with --fleet, which goes on with what was begun`);
  }
  const onLine = (line: string) => print(values.quiet ? "" : `${line}\n`);
  const announce = () => printError("\nstopping; the jobs are cancelled; Ctrl-C again exits at once");
  const seeds = Array.from({ length: (values.seeds ?? 1) as number }, (_, k) => config.seed + k);
  const faults = await withInterrupt(
    announce,
    (signal) =>
      withFleet(giving, { quiet: values.quiet === true, onLine }, async (fleet, onLine) => {
        const results = await Promise.all(seeds.map(async (seed) => {
          const own = { ...config, seed };
          const result = await fleet!.trainPolicy(own, tasksOf(own), out, signal);
          if (result) onLine(policySummary(result).join("\n"));
          return result;
        }));
        return results.includes(null) ? null : await fleet!.settle(signal);
      }),
  );
  if (faults === null) return EXIT_INTERRUPTED;
  faults.forEach((fault) => printError(`not to be believed: ${fault}`));
  return faults.length === 0 ? 0 : EXIT_FAILURE;
}

async function run(values: Values): Promise<number> {
  const giving = fleetOptions(values);
  if (!giving && values.seeds !== undefined) throw usageError("--seeds: want --fleet with it");
  const out = (values.out ?? DEFAULT_OUT) as string;
  const conflict = ["config", "set", "seed"].find((name) => values[name] !== undefined);
  if (values.resume !== undefined && conflict !== undefined) {
    throw usageError(
      `--${conflict}: not together with --resume, which goes on with the training's own configuration`,
    );
  }
  const resumed = values.resume === undefined ? null : readRun(values.resume as string, out);
  const file = resumed?.config ?? readConfig((values.config ?? "default") as string, POLICY_CONFIGS);
  const config = resolvePolicyTraining(file, flagsOf(values), (values.set ?? []) as string[]);
  if (giving) return await giveAway(giving, config, values, out);
  const tasks = tasksOf(config);
  if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", tmpdir());
  const { trainPolicy } = await import("../app/train_policy.ts");
  const announce = () =>
    printError("\nstopping; what the unfinished iteration played is lost; Ctrl-C again exits at once");
  const result = await withInterrupt(announce, (signal) =>
    trainPolicy({
      config,
      tasks,
      backend: (values.backend ?? "auto") as BackendChoice,
      out,
      resume: resumed?.directory ?? null,
      signal,
      onLine: (line) =>
        print(values.json ? `${JSON.stringify(line)}\n` : values.quiet ? "" : `${policyLine(line)}\n`),
    }));
  if (!values.json) policySummary(result).forEach((line) => print(`${line}\n`));
  return result.outcome === "interrupted" ? EXIT_INTERRUPTED : 0;
}

export const trainPolicyCommand: Command = {
  name: "train-policy",
  summary: "learn how to decide: behaviour cloning, then PPO, on simulated and real runs",
  options: [
    {
      name: "config",
      value: "NAME",
      words: () => configNames(POLICY_CONFIGS),
      summary: "configuration: a path or a name in configs/policies/",
      default: "default",
    },
    {
      name: "set",
      value: "KEY=VALUE",
      repeatable: true,
      summary: "override one key of the configuration",
      example: "ppo.learningRate=1e-4",
    },
    {
      name: "iterations",
      value: "N",
      type: "integer",
      range: [0, Number.MAX_SAFE_INTEGER],
      summary: "iterations of PPO",
      default: "the configuration's",
    },
    {
      name: "minutes",
      value: "N",
      type: "integer",
      range: [1, 100_000],
      summary: "end after this time, in minutes; the policy is written all the same",
      default: "the configuration's, or no limit",
    },
    {
      name: "seed",
      value: "N",
      type: "integer",
      range: [0, 0xffff_ffff],
      summary: "seed of everything random",
      default: "the configuration's, 1",
    },
    ...GIVING_OPTIONS,
    {
      name: "seeds",
      value: "N",
      type: "integer",
      range: [1, 1000],
      summary: "with --fleet: so many trainings, each with the next seed",
      default: "1",
    },
    {
      name: "out",
      value: "DIR",
      summary: "folder in which a folder for this training is made",
      default: DEFAULT_OUT,
    },
    {
      name: "backend",
      value: "NAME",
      choices: BACKEND_CHOICES,
      summary: "WebGPU implementation: Deno's own, Dawn, or the better of the two",
      default: "auto",
    },
    {
      name: "resume",
      value: "FOLDER",
      summary: "go on with an interrupted training: its folder, or its name in --out",
      example: "runs/policy-1",
    },
    { name: "quiet", summary: "print the summary only" },
    { name: "json", summary: "print every line of the log as JSON" },
  ],
  examples: [
    "train-policy",
    "train-policy --config default --iterations 20 --out /tmp/runs",
    "train-policy --resume runs/policy-1",
    "train-policy --seeds 4 --fleet postgres://esper@db/esper",
  ],
  run,
};

/** `sweep`: one configuration, varied. */
import { tmpdir } from "node:os";
import { BACKEND_CHOICES, type BackendChoice } from "../app/options.ts";
import type { Sweep } from "../app/sweep.ts";
import { type ProfileName, PROFILES } from "../contracts/config.ts";
import { sweepLines } from "../report/sweep_lines.ts";
import { EXIT_FAILURE, EXIT_INTERRUPTED, usageError } from "../util/errors.ts";
import type { Command, Values } from "./command.ts";
import { configNames, readConfig } from "./config_file.ts";
import { fleetOptions, GIVING_OPTIONS } from "./fleet_options.ts";
import { withInterrupt } from "./interrupt.ts";
import { print, printError } from "./output.ts";
import { withFleet } from "./with_fleet.ts";

const DEFAULT_OUT = "runs";
/** Options that say what is swept. */
const OF_SWEEP = ["config", "set", "vary", "case", "seeds", "first-seed", "profile"];

function texts(value: Values[string]): string[] {
  return [...(value ?? []) as readonly string[]];
}

function gridOf(text: string): Sweep["vary"][number] {
  const at = text.indexOf("="), values = text.slice(at + 1).split("|");
  if (at < 1 || values.some((value) => value === "")) {
    throw usageError(`--vary: want KEY=VALUE|VALUE, such as "train.batch=32|64", got "${text}"`);
  }
  return { key: text.slice(0, at), values };
}

function sweepOf(values: Values): Sweep {
  if (values.config === undefined) {
    throw usageError(
      `sweep: want --config NAME or --resume FOLDER; configs/ has ${configNames().join(", ")}`,
    );
  }
  return {
    config: readConfig(values.config as string) as Sweep["config"],
    set: texts(values.set),
    profile: (values.profile ?? "small") as ProfileName,
    vary: texts(values.vary).map(gridOf),
    cases: texts(values.case).map((text) => text.split(" ").filter((part) => part !== "")),
    seeds: { first: (values["first-seed"] ?? 1) as number, count: (values.seeds ?? 1) as number },
  };
}

async function run(values: Values): Promise<number> {
  const giving = fleetOptions(values), resume = (values.resume ?? null) as string | null;
  const conflict = OF_SWEEP.find((name) => values[name] !== undefined);
  if (resume !== null && conflict) {
    throw usageError(`--${conflict}: not together with --resume, which goes on with what was begun`);
  }
  if (giving && values.lanes !== undefined) {
    throw usageError("--lanes: not together with --fleet, whose workers do the runs");
  }
  if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", tmpdir());
  const { readSweep, runSweep } = await import("../app/sweep.ts");
  const sweep = resume === null ? sweepOf(values) : await readSweep(resume);
  const onLine = (line: string) => print(values.quiet ? "" : `${line}\n`);
  const announce = () => printError("\nstopping; every run keeps a checkpoint; Ctrl-C again exits at once");
  const result = await withInterrupt(
    announce,
    (signal) =>
      withFleet(giving, { quiet: values.quiet === true, onLine }, (fleet, onLine) =>
        runSweep({
          ...{ sweep, resume, fleet, signal, onLine },
          backend: (values.backend ?? "auto") as BackendChoice,
          out: (values.out ?? DEFAULT_OUT) as string,
          lanes: (values.lanes ?? 1) as number,
        })),
  );
  if (result.outcome === "interrupted") {
    printError(
      `esper: sweep: interrupted; go on with it: deno run -A main.ts sweep --resume ${result.directory}`,
    );
    return EXIT_INTERRUPTED;
  }
  sweepLines(result.summary).forEach((line) => print(`${line}\n`));
  print(`written to ${result.directory}: sweep.json, sweep.csv\n`);
  result.faults.forEach((fault) => printError(`not to be believed: ${fault}`));
  return result.faults.length === 0 ? 0 : EXIT_FAILURE;
}

export const sweepCommand: Command = {
  name: "sweep",
  summary: "run a configuration with every combination of settings and seeds, and compare",
  options: [
    {
      name: "config",
      value: "NAME",
      words: configNames,
      summary: "configuration: a path or a name in configs/",
      example: "spirals",
    },
    {
      name: "set",
      value: "KEY=VALUE",
      repeatable: true,
      summary: "override one key in every run",
      example: "train.batch=128",
    },
    {
      name: "vary",
      value: "KEY=VALUES",
      repeatable: true,
      summary: "a key with its values, parted by |; of several, every combination is run",
      example: '"train.batch=32|64"',
    },
    {
      name: "case",
      value: "SETTINGS",
      repeatable: true,
      summary: "KEY=VALUEs, parted by spaces, that make one variation; run with every combination of --vary",
      example: '"controller.kind=off train.batch=64"',
    },
    {
      name: "seeds",
      value: "N",
      type: "integer",
      range: [1, 1000],
      summary: "number of seeds that each variation runs with",
      default: "1",
    },
    {
      name: "first-seed",
      value: "N",
      type: "integer",
      range: [0, 0xffff_0000],
      summary: "the first of them",
      default: "1",
    },
    { name: "profile", value: "NAME", choices: PROFILES, summary: "size of the job", default: "small" },
    {
      name: "lanes",
      value: "N",
      type: "integer",
      range: [1, 64],
      summary: "runs at a time on one device, each on a thread of its own; changes no number",
      default: "1",
    },
    ...GIVING_OPTIONS,
    { name: "out", value: "DIR", summary: "folder in which the sweep's is made", default: DEFAULT_OUT },
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
      summary: "go on with an interrupted sweep, run by run",
      example: "runs/spirals-sweep-1",
    },
    { name: "quiet", summary: "print the table only" },
  ],
  examples: [
    "sweep --config spirals --set train.maxSteps=200 --vary train.batch=32|64 --seeds 3",
    "sweep --config spirals --vary train.batch=32|64 --fleet postgres://esper@db/esper",
    "sweep --resume runs/spirals-sweep-1",
  ],
  run,
};

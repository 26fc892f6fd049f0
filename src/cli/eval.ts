/** `eval`: how good is a network that was trained before? */
import { tmpdir } from "node:os";
import type { EvaluateOptions, EvaluationReport } from "../app/evaluate.ts";
import { BACKEND_CHOICES, type BackendChoice, PROFILE_CHOICES, type ProfileChoice } from "../app/options.ts";
import { usageError } from "../util/errors.ts";
import type { Command, Values } from "./command.ts";
import { configNames, readConfig, readRun } from "./config_file.ts";
import { withInterrupt } from "./interrupt.ts";
import { print, printError } from "./output.ts";

const SPLITS = ["validation", "test"] as const;
/** Options that say what data a file is scored on; a run knows. */
const OF_FILES = ["config", "set", "profile"];

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function subjectOf(values: Values, name: string): EvaluateOptions["what"] {
  if (name.endsWith(".safetensors")) {
    if (values.checkpoint !== undefined) {
      throw usageError("--checkpoint: want a run, got a file, which holds one network");
    }
    if (values.config === undefined) {
      throw usageError(
        `eval: want --config NAME, whose data ${name} is scored on; configs/ has ${configNames().join(", ")}`,
      );
    }
    if (!isFile(name)) {
      throw usageError(`eval: want a file that export wrote, got ${name}, which is not there`);
    }
    const sets = (values.set ?? []) as readonly string[];
    const config = { file: readConfig(values.config as string), sets, flags: {} };
    return { file: name, config, profile: (values.profile ?? "auto") as ProfileChoice };
  }
  const stray = OF_FILES.find((option) => values[option] !== undefined);
  if (stray !== undefined) {
    throw usageError(`--${stray}: want a .safetensors file, got ${name}: a run is scored on its own data`);
  }
  const { directory } = readRun(name, (values.out ?? "runs") as string, "eval");
  return { directory, checkpoint: (values.checkpoint ?? null) as string | null };
}

function lines({ network, checkpoint, step, dataset, split, examples, ...rest }: EvaluationReport): string[] {
  const { loss, accuracy, parameters, notices } = rest;
  return [
    ...notices.map((notice) => `note: ${notice}`),
    `${network}${checkpoint ? `, ${checkpoint}` : ""}: step ${step}, ${parameters} parameters`,
    `${dataset}, ${split}, ${examples} examples: loss ${loss.toFixed(4)}, accuracy ${
      (100 * accuracy).toFixed(2)
    }%`,
  ];
}

async function run(values: Values, [name]: readonly string[]): Promise<number> {
  if (name === undefined) throw usageError("eval: want a run folder or a .safetensors file, got nothing");
  const what = subjectOf(values, name);
  if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", tmpdir());
  const { evaluateSaved } = await import("../app/evaluate.ts");
  const report = await withInterrupt(
    () => printError("\nstopping"),
    (signal) =>
      evaluateSaved({
        what,
        split: (values.split ?? "validation") as EvaluateOptions["split"],
        backend: (values.backend ?? "auto") as BackendChoice,
        signal,
      }),
  );
  if (values.json) print(`${JSON.stringify(report)}\n`);
  else lines(report).forEach((line) => print(`${line}\n`));
  return 0;
}

export const evalCommand: Command = {
  name: "eval",
  summary: "loss and accuracy of a run (its checkpoint, fossils only) or of an exported file",
  positionals: ["NETWORK"],
  options: [
    {
      name: "split",
      value: "NAME",
      choices: SPLITS,
      summary: "the part of the data to score; test is best opened once, at the very end",
      default: "validation",
    },
    {
      name: "checkpoint",
      value: "newest|best|STEP",
      words: () => ["newest", "best"],
      summary: "of a run: newest, best (of the tick with the lowest control loss), or one by its step",
      default: "newest",
      example: "best",
    },
    {
      name: "config",
      value: "NAME",
      words: configNames,
      summary: "of a file: the configuration whose data it is scored on",
      example: "cifar10.json",
    },
    {
      name: "set",
      value: "KEY=VALUE",
      repeatable: true,
      summary: "of a file: override one key of that configuration",
      example: "data.dir=/data/cifar10",
    },
    {
      name: "profile",
      value: "NAME",
      choices: PROFILE_CHOICES,
      summary: "of a file: full or small; auto takes small without a GPU",
      default: "auto",
    },
    { name: "out", value: "DIR", summary: "folder in which RUN is looked for by its name", default: "runs" },
    {
      name: "backend",
      value: "NAME",
      choices: BACKEND_CHOICES,
      summary: "WebGPU implementation; another than the run's may round otherwise",
      default: "auto",
    },
    { name: "json", summary: "print the report as a line of JSON" },
  ],
  examples: [
    "eval runs/cifar10-1",
    "eval cifar10-1 --checkpoint best --split test",
    "eval cifar10.safetensors --config cifar10 --json",
  ],
  run,
};

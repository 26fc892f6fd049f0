/** `tune-kernels`: times kernels on this machine. */
import { tmpdir } from "node:os";
import { resolveConfig } from "../app/config.ts";
import { BACKEND_CHOICES, type BackendChoice, PROFILE_CHOICES, type ProfileChoice } from "../app/options.ts";
import { PROFILES } from "../contracts/config.ts";
import { tuneLines } from "../report/tune_lines.ts";
import { usageError } from "../util/errors.ts";
import type { Command, Values } from "./command.ts";
import { configNames, readConfig } from "./config_file.ts";
import { columns, isTerminal, print } from "./output.ts";

/** One line that is redrawn where the output is a terminal, and not shown elsewhere. */
function progress(): (done: number, total: number, key: string) => void {
  if (!isTerminal()) return () => {};
  return (done, total, key) => print(`\r\x1b[2K${`${done + 1} of ${total}: ${key}`.slice(0, columns() - 1)}`);
}

async function run(values: Values): Promise<number> {
  if (values.config === undefined) {
    throw usageError(`tune-kernels: want --config NAME; configs/ has ${configNames().join(", ")}`);
  }
  const config = {
    file: readConfig(values.config as string),
    sets: (values.set ?? []) as readonly string[],
    flags: {},
  };
  const profile = (values.profile ?? "auto") as ProfileChoice;
  for (const name of PROFILES) if (profile === "auto" || profile === name) resolveConfig(config, name);
  if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", tmpdir());
  const { tuneKernels } = await import("../app/tune.ts");
  const result = await tuneKernels({
    config,
    profile,
    backend: (values.backend ?? "auto") as BackendChoice,
    unsafeGpu: values["unsafe-gpu"] === true,
    ...values.file !== undefined && { file: values.file as string },
    onContest: progress(),
  });
  if (isTerminal()) print("\r\x1b[2K");
  tuneLines(result).forEach((line) => print(`${line}\n`));
  return 0;
}

export const tune: Command = {
  name: "tune-kernels",
  summary:
    "time the kernels of a configuration's network on this adapter, and keep the fastest for later runs",
  options: [
    {
      name: "config",
      value: "NAME",
      words: configNames,
      summary: "configuration: a path or a name in configs/",
      example: "cifar10.json",
    },
    {
      name: "set",
      value: "KEY=VALUE",
      repeatable: true,
      summary: "override one key of the configuration",
      example: "train.batch=512",
    },
    {
      name: "backend",
      value: "NAME",
      choices: BACKEND_CHOICES,
      summary:
        "WebGPU implementation: Deno's own, Dawn, or the better of the two; each has a file of its own",
      default: "auto",
    },
    {
      name: "profile",
      value: "NAME",
      choices: PROFILE_CHOICES,
      summary: "size of the job; auto: small on a software adapter, full on a GPU",
      default: "auto",
    },
    {
      name: "file",
      value: "FILE",
      summary: "file to write; what it says of other operations stays",
      default: "configs/tuned/<adapter>.json",
    },
    { name: "unsafe-gpu", summary: "time kernels without bounds checks (Dawn only)" },
  ],
  examples: [
    "tune-kernels --config cifar10.json",
    "tune-kernels --config cifar10.json --set train.batch=512 --backend dawn",
  ],
  run,
};

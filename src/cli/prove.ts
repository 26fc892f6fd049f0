/** `prove`: the experiment that shows whether growth pays, whatever the answer. */
import { tmpdir } from "node:os";
import { resolveConfig } from "../app/config.ts";
import { BACKEND_CHOICES, type BackendChoice } from "../app/options.ts";
import { parseProof } from "../app/prove/proof_config.ts";
import type { ProveOptions } from "../app/prove/prove.ts";
import { ARMS, type ArmTimes, type Proof } from "../contracts/proof.ts";
import { proofLines } from "../report/proof_lines.ts";
import { proofMarkdown } from "../report/proof_markdown.ts";
import { EXIT_FAILURE, EXIT_INTERRUPTED, usageError } from "../util/errors.ts";
import type { Command, Values } from "./command.ts";
import { readConfig, readProof } from "./config_file.ts";
import { fleetOptions, GIVING_OPTIONS } from "./fleet_options.ts";
import { withFleet } from "./with_fleet.ts";
import { withInterrupt } from "./interrupt.ts";
import { print, printError } from "./output.ts";

const DEFAULT_OUT = "runs";

/** What is proven: that of the file, or that of the folder that is gone on with. */
async function subjectOf(values: Values): Promise<Pick<ProveOptions, "proof" | "task" | "command">> {
  const given = (values.set ?? []) as readonly string[], { seeds, config, arms } = values;
  if (values.resume === undefined) {
    const name = (config ?? "prove_small") as string;
    const file = readProof(name);
    const read = parseProof(
      arms === undefined
        ? file
        : { ...file as object, arms: arms === "all" ? ARMS : String(arms).split(",") },
    );
    const proof = {
      ...read,
      task: { ...read.task, set: [...read.task.set, ...given] },
      seeds: { ...read.seeds, ...seeds !== undefined && { count: seeds as number } },
    };
    const task = resolveConfig(
      { file: readConfig(proof.task.config), sets: proof.task.set, flags: {} },
      proof.task.profile,
    );
    return { proof, task, command: commandOf(name, values) };
  }
  const conflict = ["config", "set", "seeds", "arms"].find((name) => values[name] !== undefined);
  if (conflict) {
    throw usageError(`prove: --${conflict}: not together with --resume, which goes on with what was begun`);
  }
  const { ProofFolder } = await import("../app/adapters/proof_folder.ts");
  const folder = ProofFolder.open(values.resume as string);
  const { proof, command } = folder.read("begun.json") as { proof: unknown; command: string };
  const read = parseProof(proof);
  const task = resolveConfig(
    { file: folder.read("task.json"), sets: [], flags: {} },
    read.task.profile,
  );
  return { proof: read, task, command };
}

/** The line that makes a proof again, but for what changes no number. */
function commandOf(config: string, { set = [], seeds, arms, backend = "auto" }: Values): string {
  const sets = (set as readonly string[]).flatMap((one) => ["--set", one]);
  const count = seeds === undefined ? [] : ["--seeds", String(seeds)];
  const some = arms === undefined ? [] : ["--arms", String(arms)];
  const words = ["deno run -A main.ts prove --config", config, ...some, ...sets, ...count];
  return [...words, "--backend", backend].join(" ");
}

/** What a folder holds that has been judged. */
async function judgedIn(directory: string) {
  const { ProofFolder } = await import("../app/adapters/proof_folder.ts");
  const folder = ProofFolder.open(directory);
  const proof = folder.read("proof.json"), times = folder.read("times.json");
  if (proof === null || times === null) {
    throw usageError(
      `prove: want a proof that was judged, got ${directory}; go on with it: --resume ${directory}`,
    );
  }
  return { folder, proof: proof as Proof, times: times as ArmTimes[] };
}

/** The page is made last, and of what is written: it takes packages that a bare machine may not have. */
async function writePage(directory: string): Promise<string> {
  const { folder, proof, times } = await judgedIn(directory);
  const { proofPage } = await import("../report/proof_page.ts");
  folder.writeText("proof.html", proofPage(proof, times));
  return `${folder.path}/proof.html`;
}

async function run(values: Values): Promise<number> {
  if (values.page !== undefined) {
    print(`written to ${await writePage(values.page as string)}\n`);
    return 0;
  }
  if (values.markdown !== undefined) {
    const { proof, times } = await judgedIn(values.markdown as string);
    print(`${proofMarkdown(proof, times).join("\n")}`);
    return 0;
  }
  const subject = await subjectOf(values);
  if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", tmpdir());
  const giving = fleetOptions(values);
  if (giving && values.lanes !== undefined) {
    throw usageError("--lanes: not together with --fleet, whose workers do the runs");
  }
  const { prove } = await import("../app/prove/prove.ts");
  const onLine = (line: string) => print(values.quiet ? "" : `${line}\n`);
  const announce = () => printError("\nstopping; every run keeps a checkpoint; Ctrl-C again exits at once");
  const result = await withInterrupt(
    announce,
    (signal) =>
      withFleet(giving, { quiet: values.quiet === true, onLine }, (fleet, onLine) =>
        prove({
          ...subject,
          ...fleet && { fleet },
          backend: (values.backend ?? "auto") as BackendChoice,
          out: (values.out ?? DEFAULT_OUT) as string,
          resume: (values.resume ?? null) as string | null,
          lanes: (values.lanes ?? 1) as number,
          headroomOnly: values.headroom === true,
          signal,
          onLine,
        })),
  );
  if (result.outcome === "interrupted") {
    const again = `deno run -A main.ts prove${
      values.headroom ? " --headroom" : ""
    } --resume ${result.directory}`;
    printError(`esper: prove: interrupted; go on with it: ${again}`);
    return EXIT_INTERRUPTED;
  }
  if (result.proof === null) return result.headroom!.verdict === "SUPPORTED" ? 0 : EXIT_FAILURE;
  proofLines(result.proof).forEach((line) => print(`${line}\n`));
  if (values["no-page"] !== true) print(`written to ${await writePage(result.directory)}\n`);
  return result.proof.faults.length === 0 ? 0 : EXIT_FAILURE;
}

export const proveCommand: Command = {
  name: "prove",
  summary: "run grown, static and control arms on paired seeds, and judge what was claimed of growth before",
  options: [
    {
      name: "config",
      value: "NAME",
      summary: "what is proven: a path or a name in configs/",
      default: "prove_small",
      example: "prove_cifar10",
    },
    {
      name: "set",
      value: "KEY=VALUE",
      repeatable: true,
      summary: "override one key of the task's run configuration, for every arm",
      example: "train.budgetGflop=50",
    },
    {
      name: "seeds",
      value: "N",
      type: "integer",
      range: [2, 1000],
      summary: "number of seeds",
      default: "the configuration's",
    },
    {
      name: "arms",
      value: "LIST",
      summary: `arms to run, or all: ${ARMS.join(", ")}`,
      default: "the configuration's",
      example: "host-flops,static-flops,heuristic",
    },
    { name: "headroom", summary: "only check whether the task can say anything about growth" },
    {
      name: "lanes",
      value: "N",
      type: "integer",
      range: [1, 64],
      summary: "runs at a time on one device, each on a thread of its own; changes no number",
      default: "1",
    },
    ...GIVING_OPTIONS,
    {
      name: "out",
      value: "DIR",
      summary: "folder in which a folder for the proof is made",
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
      summary: "go on with an interrupted proof, arm by arm",
      example: "runs/prove_small-1",
    },
    { name: "no-page", summary: "write proof.json only, not proof.html" },
    {
      name: "page",
      value: "FOLDER",
      summary: "run nothing; make proof.html anew from a judged proof's folder",
    },
    {
      name: "markdown",
      value: "FOLDER",
      summary: "run nothing; print a judged proof's tables as Markdown, with a row a run",
    },
    { name: "quiet", summary: "print the tables only" },
  ],
  examples: [
    "prove",
    "prove --config prove_cifar10 --lanes 4",
    "prove --headroom --config prove_small",
    "prove --resume runs/prove_small-1",
    "prove --fleet postgres://esper@db/esper --blobs s3://esper/fleet",
  ],
  run,
};

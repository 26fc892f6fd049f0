/** `replay`: does a run come to the same weights again? */
import { tmpdir } from "node:os";
import { BACKEND_CHOICES, type BackendChoice } from "../app/options.ts";
import { usageError } from "../util/errors.ts";
import type { Command, Values } from "./command.ts";
import { readRun } from "./config_file.ts";
import { withInterrupt } from "./interrupt.ts";
import { print, printError } from "./output.ts";

async function run(values: Values, [name]: readonly string[]): Promise<number> {
  if (name === undefined) throw usageError("replay: want a run folder, got nothing; see replay --help");
  const { directory } = readRun(name, (values.out ?? "runs") as string, "replay");
  if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", tmpdir());
  const { replayRun } = await import("../app/replay.ts");
  const backend = (values.backend ?? "auto") as BackendChoice;
  const report = await withInterrupt(
    () => printError("\nstopping after this step"),
    (signal) => replayRun({ directory, backend, signal }),
  );
  if (values.json) print(`${JSON.stringify(report)}\n`);
  else {
    const { steps, ticks, actions, vetoes, rollbacks, weights } = report;
    print(`${steps} steps, ${ticks} ticks, ${actions} actions, ${vetoes} vetoes, ${rollbacks} rollbacks\n`);
    print(`weights ${weights}: as recorded\n`);
  }
  return 0;
}

export const replay: Command = {
  name: "replay",
  summary: "run a run again by its log of decisions; it must come to the same weights",
  positionals: ["RUN"],
  options: [
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
  examples: ["replay runs/cifar10-1"],
  run,
};

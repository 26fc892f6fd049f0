/** `bench`: benchmarks, each a program of its own. */
import { BACKEND_CHOICES } from "../app/options.ts";
import { EXIT_FAILURE, usageError } from "../util/errors.ts";
import { suggestion } from "../util/nearest.ts";
import type { Command, Values } from "./command.ts";
import { configNames } from "./config_file.ts";

const FOLDER = new URL("../../bench/", import.meta.url);
/** Programs that are there; `all` runs those of the engine. */
const programs = () => configNames(FOLDER, ".ts");

/** The options given, as the programs take them. */
function passedOn(values: Values): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, String(value)]
  );
}

async function run(values: Values, names: readonly string[]): Promise<number> {
  const known = programs();
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined) throw usageError(`bench: no program "${wrong}"${suggestion(wrong, known)}`);
  let failed = 0;
  for (const name of names.length === 0 ? ["all"] : names) {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", new URL(`${name}.ts`, FOLDER).pathname, ...passedOn(values)],
    }).spawn().status;
    if (code !== 0) failed++;
  }
  return failed === 0 ? 0 : EXIT_FAILURE;
}

export const bench: Command = {
  name: "bench",
  summary: "run the engine's benchmarks, or those programs of bench/ that are named",
  positionals: ["[PROGRAM...]"],
  options: [
    { name: "quick", summary: "small sizes and few rounds, which any machine gets through" },
    {
      name: "backend",
      value: "NAME",
      choices: BACKEND_CHOICES,
      summary: "WebGPU implementation: Deno's own, Dawn, or the better of the two",
      default: "auto",
    },
    { name: "unsafe-gpu", summary: "kernels without bounds checks (Dawn only)" },
    {
      name: "rounds",
      value: "N",
      type: "integer",
      range: [1, 10_000],
      summary: "timings that a median is taken of",
      default: "the program's",
    },
    {
      name: "seconds",
      value: "S",
      summary: "how long one timing lasts, in seconds",
      default: "the program's",
    },
    { name: "json", value: "FILE", summary: "file for the numbers, as JSON" },
  ],
  examples: ["bench --quick", "bench gemm step --backend dawn"],
  run,
};

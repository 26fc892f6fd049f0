/** `export`: the network of a run, as a file for others. */
import { EXPORT_FORMATS, type ExportFormat, exportRun } from "../app/export.ts";
import { exportLines } from "../report/export_lines.ts";
import { usageError } from "../util/errors.ts";
import type { Command, Values } from "./command.ts";
import { readRun } from "./config_file.ts";
import { print } from "./output.ts";

const DEFAULT_OUT = "runs";

async function run(values: Values, [name]: readonly string[]): Promise<number> {
  if (name === undefined) {
    throw usageError(`export: want a run, by its folder or its name in ${DEFAULT_OUT}/`);
  }
  const { directory } = readRun(name, DEFAULT_OUT, "export");
  const result = await exportRun({
    directory,
    format: (values.format ?? EXPORT_FORMATS[0]) as ExportFormat,
    out: (values.out ?? null) as string | null,
    checkpoint: (values.checkpoint ?? null) as string | null,
  });
  exportLines(result).forEach((line) => print(`${line}\n`));
  return 0;
}

export const exportCommand: Command = {
  name: "export",
  summary: "write the network of a checkpoint of a run, fossils folded in, slots gone",
  positionals: ["RUN"],
  options: [
    {
      name: "format",
      value: "NAME",
      choices: EXPORT_FORMATS,
      summary: "safetensors, or onnx for other programs",
      default: EXPORT_FORMATS[0],
    },
    {
      name: "out",
      value: "FILE",
      summary: "file to write",
      default: "model.<format> in the run folder",
      example: "cifar10.safetensors",
    },
    {
      name: "checkpoint",
      value: "newest|best|STEP",
      words: () => ["newest", "best"],
      summary: "newest, best (of the tick with the lowest control loss), or one by its step",
      default: "newest",
      example: "best",
    },
  ],
  examples: [
    "export runs/cifar10-1",
    "export cifar10-1 --format safetensors --out cifar10.safetensors",
    "export cifar10-1 --format onnx",
  ],
  run,
};

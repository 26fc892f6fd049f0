/** `report`: what a run was, as a page, a table or an event file. */
import { usageError } from "../util/errors.ts";
import type { Command, Values } from "./command.ts";
import { readRun } from "./config_file.ts";
import { print, printError } from "./output.ts";
import { formatBytes } from "../report/format.ts";

const DEFAULT_OUT = "runs";
const FORMATS = ["html", "csv", "tensorboard"] as const;
const FILES = { html: "report.html", csv: "report.csv", tensorboard: "events.out.tfevents.esper" } as const;

async function run(values: Values, [name]: readonly string[]): Promise<number> {
  if (name === undefined) {
    throw usageError(`report: want a run, by its folder or its name in ${DEFAULT_OUT}/`);
  }
  const format = FORMATS.find((one) => one === values.format) ?? "html";
  const { directory } = readRun(name, DEFAULT_OUT, "report");
  const { runFolders, viewRun } = await import("../app/adapters/run_view.ts");
  const { writeNetworkFile } = await import("../app/adapters/export_files.ts");
  const { isBaseline, pictureOf, storyOf } = await import("../report/run_picture.ts");
  const view = viewRun(directory);
  const makers: Record<typeof format, () => Promise<Uint8Array | string>> = {
    async html() {
      const { page } = await import("../report/page.ts");
      const { runSections, subtitleOf } = await import("../report/run_page.ts");
      const given = values.baseline as string | undefined;
      const beside = view.directory.includes("/") ? view.directory.replace(/\/[^/]*$/, "") : ".";
      const baseline = given === "none"
        ? null
        : given !== undefined
        ? viewRun(readRun(given, DEFAULT_OUT, "--baseline").directory)
        : runFolders(beside).map(viewRun).findLast((other) => isBaseline(other, view)) ?? null;
      const picture = await pictureOf(view, baseline, (reason) => printError(`warning: ${reason}`));
      return page({ title: view.name, subtitle: subtitleOf(picture), sections: runSections(picture) });
    },
    async csv() {
      return (await import("../report/run_tables.ts")).runCsv(storyOf(view));
    },
    async tensorboard() {
      return (await import("../report/run_tables.ts")).runTensorBoard(storyOf(view));
    },
  };
  const made = await makers[format]();
  const bytes = typeof made === "string" ? new TextEncoder().encode(made) : made;
  const path = (values.out ?? `${view.directory}/${FILES[format]}`) as string;
  writeNetworkFile(path, bytes);
  print(`written to ${path} (${formatBytes(bytes.length)})\n`);
  return 0;
}

export const report: Command = {
  name: "report",
  summary: "write what a run was: one HTML file with charts, a table as CSV, or TensorBoard's event file",
  positionals: ["RUN"],
  options: [
    { name: "format", value: "NAME", choices: FORMATS, summary: "what to write", default: FORMATS[0] },
    {
      name: "out",
      value: "FILE",
      summary: "file to write",
      default: "report.html, report.csv or events.out.tfevents.esper in the run folder",
    },
    {
      name: "baseline",
      value: "RUN",
      summary: "run to show beside it, or none",
      default: "one beside it that is the same but for controller.kind=off",
    },
  ],
  examples: ["report runs/cifar10-1", "report cifar10-1 --format csv --out cifar10.csv"],
  run,
};

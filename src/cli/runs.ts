/** `runs`: what runs there are, and how some compare. */
import type { ListedRun } from "../report/run_lines.ts";
import { usageError } from "../util/errors.ts";
import { chosenAction } from "./actions.ts";
import type { Command, Values } from "./command.ts";
import { readRun } from "./config_file.ts";
import { print } from "./output.ts";

const DEFAULT_OUT = "runs";

/** The runs in these folders, as they are listed. */
async function listed(directories: readonly string[]): Promise<ListedRun[]> {
  const { viewRun } = await import("../app/adapters/run_view.ts");
  const { storyOf } = await import("../report/run_picture.ts");
  return directories.map(viewRun).map((view) => ({
    name: view.name,
    config: view.config,
    record: view.record as ListedRun["record"],
    story: storyOf(view),
  }));
}

const show = (lines: readonly string[]) => print(lines.map((line) => `${line}\n`).join(""));

async function list(values: Values): Promise<number> {
  const { runFolders } = await import("../app/adapters/run_view.ts");
  const { listedRuns, runLines } = await import("../report/run_lines.ts");
  const out = (values.out ?? DEFAULT_OUT) as string;
  const runs = await listed(runFolders(out));
  if (values.json) print(`${JSON.stringify(listedRuns(runs))}\n`);
  else show(runs.length === 0 ? [`no runs in ${out}/`] : runLines(runs));
  return 0;
}

async function compare(values: Values, names: readonly string[]): Promise<number> {
  if (names.length < 2) {
    throw usageError(
      `runs compare: want two runs or more, got ${names.length === 0 ? "none" : `only ${names[0]}`}`,
    );
  }
  const out = (values.out ?? DEFAULT_OUT) as string;
  const { comparisonLines, comparisonSections, listedRuns } = await import("../report/run_lines.ts");
  const runs = await listed(names.map((name) => readRun(name, out, "runs compare").directory));
  if (values.json) print(`${JSON.stringify(listedRuns(runs))}\n`);
  else show(comparisonLines(runs));
  if (values.html === undefined) return 0;
  const { page } = await import("../report/page.ts");
  const { writeNetworkFile } = await import("../app/adapters/export_files.ts");
  const title = runs.map(({ name }) => name).join(", ");
  const html = page({ title, subtitle: "Runs compared", sections: comparisonSections(runs) });
  writeNetworkFile(values.html as string, new TextEncoder().encode(html));
  if (!values.json) show([`written to ${values.html}`]);
  return 0;
}

const ACTIONS: Readonly<Record<string, (values: Values, names: readonly string[]) => Promise<number>>> = {
  list,
  compare,
};

async function run(values: Values, [name, ...names]: readonly string[]): Promise<number> {
  const action = chosenAction("runs", ACTIONS, name);
  if (action === list && (names.length > 0 || values.html !== undefined)) {
    throw usageError(
      `runs list: unexpected ${names.length > 0 ? `argument "${names[0]}"` : "--html"}; see runs compare`,
    );
  }
  return await action(values, names);
}

export const runs: Command = {
  name: "runs",
  summary: "list the runs of a folder, or compare two and more: outcome, losses, configurations, curves",
  positionals: ["list|compare", "[RUN...]"],
  options: [
    { name: "out", value: "DIR", summary: "folder of the runs", default: DEFAULT_OUT },
    {
      name: "html",
      value: "FILE",
      summary: "compare: write a page with curves, too",
      example: "comparison.html",
    },
    { name: "json", summary: "print one line of JSON" },
  ],
  examples: ["runs list", "runs compare cifar10-1 cifar10-2 --html comparison.html"],
  run,
};

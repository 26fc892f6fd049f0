/** `inspect`: what a run's network is by now. */
import { inspectGraph } from "../app/inspect.ts";
import { graphLines } from "../report/graph_lines.ts";
import { graphSvg } from "../report/graph_svg.ts";
import { usageError } from "../util/errors.ts";
import type { Command, Values } from "./command.ts";
import { readRun } from "./config_file.ts";
import { print } from "./output.ts";

const DEFAULT_OUT = "runs";

async function run(values: Values, [name]: readonly string[]): Promise<number> {
  if (name === undefined) {
    throw usageError(`inspect: want a run, by its folder or its name in ${DEFAULT_OUT}/`);
  }
  if (values.graph !== true) throw usageError("inspect: want what to look at, got nothing; give --graph");
  const { directory } = readRun(name, DEFAULT_OUT, "inspect");
  const { openRun, writeNetworkFile } = await import("../app/adapters/export_files.ts");
  const graph = await inspectGraph(openRun(directory));
  const path = (values.out ?? `${directory.replace(/\/+$/, "")}/graph.svg`) as string;
  writeNetworkFile(path, new TextEncoder().encode(graphSvg(graph)));
  if (values.json === true) {
    print(`${JSON.stringify({ ...graph, svg: path })}\n`);
    return 0;
  }
  [...graphLines(graph), `written to ${path}`].forEach((line) => print(`${line}\n`));
  return 0;
}

export const inspect: Command = {
  name: "inspect",
  summary: "show the network of a run's newest checkpoint, slots and seeds included",
  positionals: ["RUN"],
  options: [
    { name: "graph", summary: "its graph: a table of its nodes, and a picture" },
    {
      name: "out",
      value: "FILE",
      summary: "file for the picture, as SVG",
      default: "graph.svg in the run folder",
      example: "cifar10.svg",
    },
    { name: "json", summary: "print the graph as JSON instead of the table" },
  ],
  examples: ["inspect runs/cifar10-1 --graph", "inspect cifar10-1 --graph --out cifar10.svg"],
  run,
};

/** `inspect`: what a run's network is by now. */
import { inspectNetwork } from "../app/inspect.ts";
import { graphLines, slotLines } from "../report/graph_lines.ts";
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
  const drawn = values.graph === true;
  if (values.out !== undefined && !drawn) {
    throw usageError(
      "inspect: want --graph with --out, got it alone; give --graph, whose picture goes there",
    );
  }
  const { directory } = readRun(name, DEFAULT_OUT, "inspect");
  const { openRun, writeNetworkFile } = await import("../app/adapters/export_files.ts");
  const network = await inspectNetwork(openRun(directory)), graph = network.grown;
  const path = drawn ? (values.out ?? `${directory.replace(/\/+$/, "")}/graph.svg`) as string : null;
  if (path !== null) writeNetworkFile(path, new TextEncoder().encode(graphSvg(graph)));
  if (values.json === true) {
    print(`${JSON.stringify({ ...graph, ...path !== null && { svg: path } })}\n`);
    return 0;
  }
  const lines = path === null ? slotLines(network) : [...graphLines(graph), `written to ${path}`];
  for (const line of lines) print(`${line}\n`);
  return 0;
}

export const inspect: Command = {
  name: "inspect",
  summary: "show the network of a run's newest checkpoint, slots and seeds included",
  positionals: ["RUN"],
  options: [
    { name: "graph", summary: "its graph: a table of all its nodes, and a picture" },
    {
      name: "out",
      value: "FILE",
      summary: "file for the picture, as SVG",
      default: "graph.svg in the run folder",
      example: "cifar10.svg",
    },
    { name: "json", summary: "print slots and graph as JSON instead of a table" },
  ],
  examples: [
    "inspect cifar10-1",
    "inspect runs/cifar10-1 --graph",
    "inspect cifar10-1 --graph --out cifar10.svg",
  ],
  run,
};

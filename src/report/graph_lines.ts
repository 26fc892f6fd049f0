/** What `inspect` prints. */
import type { RunGraph, RunNetwork } from "../app/inspect.ts";
import { formatCount, formatFlops } from "./format.ts";
import { renderTable } from "./table.ts";

const sumOf = ({ graph }: RunGraph, what: "params" | "flops") =>
  graph.nodes.reduce((total, node) => total + node[what], 0);

const nameOf = ({ run, checkpoint }: RunGraph) =>
  `${run} ${checkpoint === null ? "before its first checkpoint" : `at ${checkpoint}`}`;

/** Lines that say what a network has become, and a table with a slot a line. */
export function slotLines({ host, grown }: RunNetwork): string[] {
  const became = (what: "params" | "flops", show: (value: number) => string) =>
    `${show(sumOf(host, what))} → ${show(sumOf(grown, what))}`;
  return [
    `${nameOf(grown)}: ${became("params", formatCount)} parameters, ${
      became("flops", formatFlops)
    } an example, host → with seeds`,
    "",
    ...renderTable(
      ["slot", "stage", "seed", "α"],
      grown.slots.map(({ slot, stage, blueprint, alpha }) => [
        slot,
        stage,
        blueprint ?? "",
        blueprint === null ? "" : String(Number(alpha.toFixed(3))),
      ]),
    ),
  ];
}

/** Lines of a table, a node a line, and one that sums up. */
export function graphLines(network: RunGraph): string[] {
  const { graph, slots } = network;
  const slotAt = new Map(Object.entries(graph.slots).map(([slot, node]) => [node, slot]));
  const rows = graph.nodes.map(({ op, params, flops, channels, pixels }, k) => {
    const slot = slots.find((one) => one.slot === slotAt.get(k));
    const seed = slot?.blueprint ? ` ${slot.blueprint}, α ${Number(slot.alpha.toFixed(3))}` : "";
    return [
      String(k),
      op,
      graph.edges.flatMap(([from, to]) => to === k ? [from] : []).join(", "),
      String(channels),
      String(pixels),
      formatCount(params),
      formatCount(flops),
      slot ? `${slot.slot}: ${slot.stage}${seed}` : "",
    ];
  });
  return [
    ...renderTable(
      ["node", "operation", "from", "channels", "positions", "parameters", "FLOPs", "slot"],
      rows,
    ),
    "",
    `${nameOf(network)}: ${formatCount(sumOf(network, "params"))} parameters, ${
      formatFlops(sumOf(network, "flops"))
    } an example, ${graph.nodes.length} nodes, ${graph.edges.length} edges`,
  ];
}

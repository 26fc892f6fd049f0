/** What `inspect --graph` prints. */
import type { RunGraph } from "../app/inspect.ts";
import { formatCount, formatFlops } from "./format.ts";
import { renderTable } from "./table.ts";

/** Lines of a table, a node a line, and one that sums up. */
export function graphLines({ run, checkpoint, graph, slots }: RunGraph): string[] {
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
  const sum = (what: "params" | "flops") => graph.nodes.reduce((total, node) => total + node[what], 0);
  return [
    ...renderTable(
      ["node", "operation", "from", "channels", "positions", "parameters", "FLOPs", "slot"],
      rows,
    ),
    "",
    `${run} ${checkpoint === null ? "before its first checkpoint" : `at ${checkpoint}`}: ${
      formatCount(sum("params"))
    } parameters, ${
      formatFlops(sum("flops"))
    } an example, ${graph.nodes.length} nodes, ${graph.edges.length} edges`,
  ];
}

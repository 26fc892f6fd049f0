/** A network's graph as a picture. */
import type { RunGraph } from "../app/inspect.ts";
import type { Stage } from "../contracts/control.ts";
import type { GraphNode, ModelGraph, OpClass } from "../contracts/model_graph.ts";
import { formatCount } from "./format.ts";

const COLUMN = 132, ROW = 72, BOX = { width: 104, height: 46 }, MARGIN = 24;
/** Room for the title above and the legend below. */
const TITLE = 40, LEGEND = 44;

const FILLS: Readonly<Record<OpClass, string>> = {
  input: "#e9ecef",
  conv: "#d0e3f5",
  depthwise: "#c7ecee",
  product: "#dcd6f2",
  norm: "#f1f3f5",
  pool: "#e3efdc",
  activation: "#fdf0d5",
  sum: "#ffffff",
  slot: "#ffffff",
  other: "#f8f9fa",
};

/** Frames of slots: grey empty, blue growing, green kept, red gone. */
const FRAMES: Readonly<Record<Stage, string>> = {
  DORMANT: "#868e96",
  GERMINATED: "#4dabf7",
  TRAINING: "#1971c2",
  BLENDING: "#7048e8",
  HOLDING: "#e8890c",
  FOSSILIZED: "#2b8a3e",
  PRUNED: "#c92a2a",
  EMBARGOED: "#e03131",
  RESETTING: "#fa5252",
};

const escape = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Columns by the longest way from an input; in a column, nodes in the order of the rows that feed them. */
function layOut({ nodes, edges }: ModelGraph): { places: Point[]; columns: number; rows: number } {
  const feeding = nodes.map((): number[] => []);
  for (const [from, to] of edges) feeding[to].push(from);
  const column: number[] = [];
  for (const k of nodes.keys()) column[k] = Math.max(-1, ...feeding[k].map((from) => column[from])) + 1;
  const row: number[] = [];
  const columns = Math.max(...column) + 1;
  for (let c = 0; c < columns; c++) {
    const wish = (k: number) =>
      feeding[k].length === 0 ? 0 : feeding[k].reduce((sum, from) => sum + row[from], 0) / feeding[k].length;
    const here = [...nodes.keys()].filter((k) => column[k] === c).sort((a, b) => wish(a) - wish(b) || a - b);
    here.forEach((k, at) => row[k] = at);
  }
  const rows = Math.max(...row) + 1;
  const places = nodes.map((_, k) => ({ x: column[k] * COLUMN, y: row[k] * ROW }));
  return { places, columns, rows };
}

/** A line from the right of a box to the left of another; over whole columns it takes a way above the boxes. */
function edgePath(from: Point, to: Point, lift: number): string {
  const [x0, y0] = [from.x + BOX.width, from.y + BOX.height / 2], [x1, y1] = [to.x, to.y + BOX.height / 2];
  const columns = Math.round((to.x - from.x) / COLUMN);
  if (columns === 1) {
    const bend = (COLUMN - BOX.width) / 2;
    return `M${x0} ${y0}C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}`;
  }
  const top = Math.min(from.y, to.y) - lift;
  return `M${x0} ${y0}C${x0 + 24} ${y0} ${x0 + 4} ${top} ${x0 + 40} ${top}` +
    `H${x1 - 40}C${x1 - 4} ${top} ${x1 - 24} ${y1} ${x1} ${y1}`;
}

/** Height of the way above the boxes: higher, the farther it leads. */
const liftOf = (columns: number) => 10 + Math.min(5, columns) * 5;

function describe({ params, channels, pixels }: GraphNode): string {
  const size = pixels > 1 ? `${formatCount(pixels)} × ${channels}` : String(channels);
  return params > 0 ? `${size}, ${formatCount(params)} p` : size;
}

/** `cifar10-1 at step-000000600`. */
const titleOf = ({ run, checkpoint }: RunGraph) =>
  `${run} ${checkpoint === null ? "before its first checkpoint" : `at ${checkpoint}`}`;

/** The graph from left to right as SVG: boxes by kind of operation, slots framed by their stage. */
export function graphSvg(network: RunGraph, title = titleOf(network)): string {
  const { graph, slots } = network;
  const { places, columns, rows } = layOut(graph);
  const slotAt = new Map(Object.entries(graph.slots).map(([slot, node]) => [node, slot]));
  const headroom = liftOf(Infinity);
  const width = Math.max(480, columns * COLUMN - COLUMN + BOX.width) + 2 * MARGIN;
  const height = TITLE + headroom + rows * ROW - ROW + BOX.height + LEGEND;
  const edges = graph.edges.map(([from, to]) => {
    const [a, b] = [places[from], places[to]];
    return `<path d="${edgePath(a, b, liftOf(Math.round((b.x - a.x) / COLUMN)))}"/>`;
  });
  const boxes = graph.nodes.map((node, k) => {
    const { x, y } = places[k];
    const slot = slots.find((one) => one.slot === slotAt.get(k));
    const frame = slot ? ` stroke="${FRAMES[slot.stage]}" stroke-width="3"` : ` stroke="#adb5bd"`;
    const [first, second] = slot ? [slot.slot, slot.blueprint ?? slot.stage] : [node.op, describe(node)];
    const rest = slot?.blueprint ? `, ${slot.stage}` : "";
    const text = (line: string, at: number, bold: string) =>
      `<text x="${x + BOX.width / 2}" y="${y + at}"${bold}>${escape(line)}</text>`;
    return `<g><title>${k}: ${escape(first)}, ${escape(second)}${rest}</title>` +
      `<rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6" fill="${
        FILLS[node.op]
      }"${frame}/>` +
      text(shortened(first), 19, ` font-weight="bold"`) + text(shortened(second), 35, "") + "</g>";
  });
  const stages = [...new Set(slots.map(({ stage }) => stage))];
  const legend = stages.map((stage, k) =>
    `<rect x="${MARGIN + 130 * k}" y="${height - 30}" width="14" height="14" rx="3" fill="none" ` +
    `stroke="${FRAMES[stage]}" stroke-width="3"/>` +
    `<text x="${MARGIN + 130 * k + 22}" y="${height - 19}" text-anchor="start">${stage}</text>`
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    `role="img" aria-label="${escape(`${title}: ${inWords(network)}`)}" ` +
    `font-family="sans-serif" font-size="11" text-anchor="middle">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${MARGIN}" y="24" font-size="14" font-weight="bold" text-anchor="start">${
      escape(title)
    }</text>`,
    `<g transform="translate(${MARGIN} ${TITLE + headroom})">`,
    `<g fill="none" stroke="#495057">`,
    ...edges,
    "</g>",
    ...boxes,
    "</g>",
    ...legend,
    "</svg>\n",
  ].join("\n");
}

/** `12 operations; layer1 holds pointwise, FOSSILIZED; layer2 DORMANT`, for those who do not see it. */
function inWords({ graph, slots }: RunGraph): string {
  const seeds = slots.map(({ slot, blueprint, stage }) =>
    blueprint === null ? `${slot} ${stage}` : `${slot} holds ${blueprint}, ${stage}`
  );
  return [`${graph.nodes.length} operations`, ...seeds].join("; ");
}

/** What fits in a box. */
const shortened = (text: string) => text.length > 16 ? `${text.slice(0, 15)}…` : text;

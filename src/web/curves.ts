/** Loss over FLOPs spent, what happened to seeds, and α of each slot. */
import type { Edge } from "../contracts/lifecycle.ts";
import { formatFlops, formatNumber } from "../report/format.ts";
import { html, say, setAll, svg } from "./dom.ts";
import type { Beginning, Snapshot } from "./protocol.ts";
import { wordsOfEdge } from "./words.ts";

const WIDEST = 720, NARROWEST = 340, LEFT = 46, RIGHT = 10, TOP = 26, HEIGHT = 210, ROW = 26, BOTTOM = 30;
/** Most points of a line; beyond them every other goes, so that memory stays flat. */
const MOST = 600;
/** Weight of what was before in the line of training losses. */
const SMOOTHING = 0.9;
const LEVELS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

/** Which edges are marked, and how. */
const MARKS: Partial<Record<Edge["to"], string>> = {
  GERMINATED: "•",
  BLENDING: "α",
  FOSSILIZED: "✓",
  PRUNED: "✕",
};

type Point = readonly [number, number];

/** Points that grow in number only up to a limit. */
class Line {
  points: Point[] = [];
  add(x: number, y: number | null): void {
    if (y === null || !Number.isFinite(y)) return;
    this.points.push([x, y]);
    if (this.points.length > MOST) this.points = this.points.filter((_, k) => k % 2 === 0 || k > MOST - 20);
  }
}

/** What the page tells the curves. */
export interface Curves {
  metrics(flops: number, loss: number): void;
  edge(edge: Edge): void;
  snapshot(now: Snapshot): void;
}

/** Draws the curves of a run into `place`. */
export function drawCurves(place: HTMLElement, { slots, budgetFlops, classes }: Beginning): Curves {
  const train = new Line(), grown = new Line(), twin = new Line();
  const ramps = new Map(slots.map((slot) => [slot, new Line()]));
  const marks: { flops: number; edge: Edge }[] = [];
  let waiting: Edge[] = [], smoothed: number | null = null, drawn = 0;
  // As wide as its place, so that letters keep their size.
  const width = Math.min(WIDEST, Math.max(NARROWEST, place.clientWidth || WIDEST));
  const height = TOP + HEIGHT + slots.length * ROW + BOTTOM;
  const x = (flops: number) => LEFT + (width - LEFT - RIGHT) * Math.min(1, flops / (1.02 * budgetFlops));
  const lines = {
    train: svg("path", { class: "train" }),
    twin: svg("path", { class: "twin" }),
    grown: svg("path", { class: "grown" }),
  };
  const grid = svg("g", { class: "grid" }),
    events = svg("g", { class: "events" }),
    alphas = svg("g", { class: "alphas" });
  const title = svg("title");
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "img", class: "curves" },
    title,
    grid,
    lines.train,
    lines.twin,
    lines.grown,
    events,
    alphas,
    svg(
      "text",
      { x: width - RIGHT, y: height - 4, class: "axis end" },
      `FLOPs spent, of ${formatFlops(budgetFlops)}`,
    ),
    svg("text", { x: LEFT, y: 12, class: "axis" }, "loss in nats, log scale"),
  );
  const key = (kind: string, words: string) => html("li", { class: kind }, words);
  const legend = html("ul", { class: "legend" }, key("grown", "grown, held-out data"));
  legend.append(key("train", "grown, batches of training"));
  const ofTwin = key("twin", "the host alone, held-out data");
  legend.append(ofTwin);
  place.replaceChildren(legend, picture);

  function draw(): void {
    drawn = 0;
    const values = [...grown.points, ...twin.points, ...train.points].map(([, loss]) => loss).filter((loss) =>
      loss > 0
    );
    const most = Math.max(Math.log(classes.length) * 1.15, Math.min(20, ...[Math.max(0, ...values)]));
    const least = Math.max(0.004, Math.min(0.5, ...values) * 0.8);
    const y = (loss: number) => {
      const share = Math.log(Math.max(loss, least) / least) / Math.log(most / least);
      return TOP + HEIGHT * (1 - Math.min(1, share));
    };
    const path = (points: readonly Point[], at: (value: number) => number) =>
      points.map(([flops, value], k) => `${k ? "L" : "M"}${x(flops).toFixed(1)} ${at(value).toFixed(1)}`)
        .join("");
    for (const [name, line] of [["train", train], ["twin", twin], ["grown", grown]] as const) {
      setAll(lines[name], { d: path(line.points, y) });
    }
    grid.replaceChildren(
      ...LEVELS.filter((level) => level >= least && level <= most).flatMap((level) => [
        svg("line", { x1: LEFT, x2: width - RIGHT, y1: y(level), y2: y(level) }),
        svg("text", { x: LEFT - 6, y: y(level) + 4, class: "axis end" }, String(level)),
      ]),
    );
    events.replaceChildren(...marks.map(({ flops, edge }) =>
      svg(
        "g",
        { "data-stage": edge.to },
        svg("title", {}, wordsOfEdge(edge)),
        svg("line", { x1: x(flops), x2: x(flops), y1: TOP, y2: TOP + HEIGHT }),
        svg("circle", { cx: x(flops), cy: TOP, r: 8 }),
        svg("text", { x: x(flops), y: TOP + 4 }, MARKS[edge.to] ?? ""),
      )
    ));
    alphas.replaceChildren(...[...ramps].flatMap(([slot, { points }], k) => {
      const floor = TOP + HEIGHT + (k + 1) * ROW, at = (alpha: number) => floor - (ROW - 8) * alpha;
      const last = points.at(-1), first = points[0];
      const area = last
        ? `${path(points, at)}L${x(last[0]).toFixed(1)} ${floor}L${x(first[0]).toFixed(1)} ${floor}Z`
        : "";
      return [
        svg("line", { x1: LEFT, x2: width - RIGHT, y1: floor, y2: floor }),
        svg("path", { d: area }),
        svg("text", { x: LEFT - 6, y: floor - 4, class: "axis end" }, "α"),
        svg("text", { x: LEFT + 4, y: floor - 8, class: "axis" }, slot),
      ];
    }));
    const loss = (line: Line) => line.points.length ? formatNumber(line.points.at(-1)![1]) : "none yet";
    say(
      title,
      `Loss on held-out data: grown ${loss(grown)}${ofTwin.hidden ? "" : `, host alone ${loss(twin)}`}`,
    );
  }

  return {
    metrics(flops, loss) {
      smoothed = smoothed === null ? loss : SMOOTHING * smoothed + (1 - SMOOTHING) * loss;
      train.add(flops, smoothed);
    },
    edge: (edge) => void waiting.push(edge),
    snapshot(now) {
      for (const edge of waiting) if (MARKS[edge.to]) marks.push({ flops: now.flops, edge });
      waiting = [];
      grown.add(now.flops, now.controlLoss);
      ofTwin.hidden = now.twin === null;
      if (now.twin) twin.add(now.twin.flops, now.twin.controlLoss);
      for (const { slot, stage, alpha } of now.slots) {
        ramps.get(slot)?.add(now.flops, stage === "FOSSILIZED" ? 1 : alpha);
      }
      if (drawn === 0) drawn = requestAnimationFrame(draw);
    },
  };
}

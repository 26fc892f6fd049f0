/** The kinds of charts that reports have, as SVG texts. */
import * as Plot from "@observablehq/plot";
import { paperColor, seriesColor, seriesDash } from "./colors.ts";
import { escapeHtml } from "./html.ts";
import { plotSvg } from "./plot_svg.ts";

export type Point = readonly [x: number, y: number];

/** A line of a chart. */
export interface Line {
  readonly name: string;
  readonly points: readonly Point[];
  /** Where the true value lies, as `[x, low, high]`. */
  readonly band?: readonly (readonly [x: number, low: number, high: number])[];
}

/** Something that happened: a rule across the chart with a letter at its top. */
export interface ChartEvent {
  readonly x: number;
  /** A letter or two. */
  readonly mark: string;
  /** What a pointer that rests on it reads. */
  readonly text: string;
}

export interface LineChart {
  /** What the chart shows, for those who do not see it. */
  readonly title: string;
  /** Labels of the axes, with units. */
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
  readonly events?: readonly ChartEvent[];
  readonly scale?: "linear" | "log";
  /** Whether values are fractions that are shown as percentages. */
  readonly percent?: boolean;
  /** Whether a line goes level from point to point instead of straight. */
  readonly steps?: boolean;
  /** Values that the axis must reach to. */
  readonly reach?: readonly number[];
  readonly height?: number;
}

const WIDTH = 900, LEFT = 64, RIGHT = 18;
/** Points that a line keeps: more than a screen has columns. */
const KEPT = 1200;
const CHARACTER = 7, LINE = 18;

/** At most about `most` points: of each stretch its first, lowest, highest and last. */
export function thinned(points: readonly Point[], most = KEPT): readonly Point[] {
  if (points.length <= most) return points;
  const stretch = Math.ceil(points.length * 4 / most);
  const kept: Point[] = [];
  for (let from = 0; from < points.length; from += stretch) {
    const part = points.slice(from, from + stretch);
    const by = (better: (a: number, b: number) => boolean) =>
      part.reduce((best, point) => better(point[1], best[1]) ? point : best);
    const wanted = new Set([part[0], by((a, b) => a < b), by((a, b) => a > b), part.at(-1)!]);
    kept.push(...part.filter((point) => wanted.has(point)));
  }
  return kept;
}

/** Names of lines with a piece of each, from left to right, in as many rows as they take; `from` is free before. */
function legend(names: readonly string[], from: number): { svg: string; height: number } {
  if (names.length < 2) return { svg: "", height: 0 };
  let x = from, y = 12;
  const parts = names.map((name, k) => {
    const width = 40 + name.length * CHARACTER;
    if (x + width > WIDTH - RIGHT && x > from) [x, y] = [from, y + LINE];
    const part = `<line x1="${x}" x2="${x + 26}" y1="${y - 4}" y2="${y - 4}" stroke="${
      seriesColor(k)
    }" stroke-width="2.5" stroke-dasharray="${seriesDash(k)}"/><text x="${x + 32}" y="${y}">${
      escapeHtml(name)
    }</text>`;
    x += width;
    return part;
  });
  return { svg: `<g text-anchor="start" font-size="12">${parts.join("")}</g>`, height: y + 8 };
}

/** Rows for marks, so that none stands on another. */
function rowsOf(events: readonly ChartEvent[], low: number, high: number): number[] {
  const width = (WIDTH - LEFT - RIGHT) / Math.max(high - low, 1e-9);
  const ends: number[] = [];
  return events.map(({ x, mark }) => {
    const at = (x - low) * width, room = mark.length * CHARACTER + 6;
    const free = ends.findIndex((end) => end <= at - room / 2);
    const row = free === -1 ? ends.length < 6 ? ends.length : ends.indexOf(Math.min(...ends)) : free;
    ends[row] = at + room / 2;
    return row;
  });
}

/** Lines over a common axis, with what happened along it. */
export function lineChart(spec: LineChart): string {
  const { title, x, y, lines, events = [], scale = "linear", percent = false, steps = false, reach = [] } =
    spec;
  const drawn = lines.map((line) => ({
    ...line,
    points: thinned(
      line.points.filter(([, value]) => Number.isFinite(value) && (scale === "linear" || value > 0)),
    ),
  }));
  const sorted = events.toSorted((a, b) => a.x - b.x);
  const xs = [...drawn.flatMap(({ points }) => points.map(([at]) => at)), ...sorted.map((event) => event.x)];
  const low = xs.reduce((a, b) => Math.min(a, b), Infinity),
    high = xs.reduce((a, b) => Math.max(a, b), -Infinity);
  const domain = Number.isFinite(low) ? [low, high > low ? high : low + 1] : [0, 1];
  const rows = rowsOf(sorted, domain[0], domain[1]);
  const names = legend(lines.map(({ name }) => name), Math.max(LEFT, y.length * CHARACTER + 36));
  const marks = sorted.length === 0 ? 0 : (Math.max(...rows) + 1) * LINE;
  const curve = steps ? "step-after" as const : "linear" as const;
  const first = (point: readonly number[]) => point[0];
  return plotSvg(title, {
    width: WIDTH,
    height: (spec.height ?? 300) + names.height + marks,
    marginLeft: LEFT,
    marginRight: RIGHT,
    marginTop: 22 + names.height + marks,
    marginBottom: 38,
    x: { label: x, domain },
    y: { label: y, type: scale, grid: true, nice: true, ...percent && { tickFormat: ".0%" } },
    marks: [
      Plot.ruleX(sorted, { x: "x", stroke: paperColor("quiet"), strokeOpacity: 0.6, strokeDasharray: "1 3" }),
      ...drawn.flatMap(({ band }, k) =>
        band === undefined ? [] : [Plot.areaY(band, {
          x: first,
          y1: (point: readonly number[]) => point[1],
          y2: (point: readonly number[]) => point[2],
          fill: seriesColor(k),
          fillOpacity: 0.18,
        })]
      ),
      ...drawn.map(({ points }, k) =>
        Plot.line(points, {
          x: first,
          y: (point: readonly number[]) => point[1],
          stroke: seriesColor(k),
          strokeWidth: 1.8,
          strokeDasharray: seriesDash(k),
          curve,
        })
      ),
      ...drawn.map(({ points }, k) =>
        Plot.dot(points.length === 1 ? points : [], {
          x: first,
          y: (point: readonly number[]) => point[1],
          fill: seriesColor(k),
        })
      ),
      Plot.ruleY(reach, { stroke: "none" }),
      ...Array.from(
        { length: marks / LINE },
        (_, row) =>
          Plot.text(sorted.filter((_, k) => rows[k] === row), {
            x: "x",
            text: "mark",
            title: "text",
            frameAnchor: "top",
            lineAnchor: "bottom",
            dy: -4 - row * LINE,
            fontWeight: "bold",
            fill: paperColor("ink"),
          }),
      ),
    ],
  }, names.svg);
}

/** A stretch of one row of a time line. */
export interface Stretch {
  readonly row: string;
  readonly from: number;
  readonly to: number;
  /** CSS colour. */
  readonly color: string;
  /** What stands in it where there is room. */
  readonly label: string;
  /** What a pointer that rests on it reads. */
  readonly text: string;
}

/** Rows of stretches along an axis that begins at 0; what is in them is named above. */
export function timeline(title: string, x: string, stretches: readonly Stretch[]): string {
  const rows = [...new Set(stretches.map(({ row }) => row))];
  const longest = Math.max(0, ...rows.map((row) => row.length));
  const marginLeft = Math.min(300, 16 + longest * CHARACTER);
  const low = 0, high = Math.max(...stretches.map(({ to }) => to));
  const room = (WIDTH - marginLeft - RIGHT) / Math.max(high - low, 1e-9);
  const kinds = [...new Map(stretches.map(({ label, color }) => [label, color]))];
  let at = marginLeft;
  const names = kinds.map(([label, color]) => {
    const part = `<rect x="${at}" y="2" width="14" height="14" rx="3" fill="${color}"/>` +
      `<text x="${at + 20}" y="13">${escapeHtml(label)}</text>`;
    at += 36 + label.length * CHARACTER;
    return part;
  });
  const roomy = stretches.filter(({ from, to, label }) => (to - from) * room > label.length * CHARACTER + 6);
  return plotSvg(title, {
    width: WIDTH,
    height: 72 + rows.length * 30,
    marginTop: 30,
    marginLeft,
    marginRight: RIGHT,
    marginBottom: 38,
    x: { label: x, domain: [low, high > low ? high : low + 1], grid: true },
    y: { label: null, domain: rows, padding: 0.2, tickSize: 0 },
    marks: [
      Plot.barX(stretches, { y: "row", x1: "from", x2: "to", fill: "color", title: "text", inset: 0.5 }),
      Plot.text(roomy, {
        y: "row",
        x: ({ from, to }: Stretch) => (from + to) / 2,
        text: "label",
        fill: paperColor("ink"),
        fontSize: 11,
        pointerEvents: "none",
      }),
    ],
    color: { type: "identity" },
  }, `<g text-anchor="start" font-size="12">${names.join("")}</g>`);
}

/** A bar of a bar chart; `range` is where the true value lies. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly range?: readonly [low: number, high: number];
}

/** Bars from left to right, the value behind each. */
export function barChart(
  spec: { title: string; x: string; bars: readonly Bar[]; format?: (value: number) => string },
): string {
  const { title, x, bars, format = (value: number) => String(Number(value.toPrecision(3))) } = spec;
  const longest = Math.max(0, ...bars.map(({ name }) => name.length));
  const ranges = bars.filter(({ range }) => range !== undefined);
  return plotSvg(title, {
    width: WIDTH,
    height: 56 + bars.length * 26,
    marginLeft: Math.min(360, 16 + longest * CHARACTER),
    marginRight: 76,
    marginBottom: 38,
    x: { label: x, grid: true, nice: true },
    y: { label: null, domain: bars.map(({ name }) => name), padding: 0.25, tickSize: 0 },
    marks: [
      Plot.barX(bars, { y: "name", x: "value", fill: seriesColor(0), fillOpacity: 0.75 }),
      Plot.ruleX([0], { stroke: paperColor("quiet") }),
      Plot.ruleY(ranges, {
        y: "name",
        x1: ({ range }: Bar) => range![0],
        x2: ({ range }: Bar) => range![1],
        stroke: paperColor("ink"),
        strokeWidth: 2,
      }),
      Plot.text(bars, {
        y: "name",
        x: ({ value, range }: Bar) => Math.max(0, value, range?.[1] ?? value),
        text: ({ value }: Bar) => format(value),
        textAnchor: "start",
        dx: 6,
      }),
    ],
  });
}

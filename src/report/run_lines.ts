/** Runs side by side: what `runs` prints and plots. */
import { lineChart } from "./charts.ts";
import { formatDuration, formatFlops, formatPercent } from "./format.ts";
import { figure, htmlTable } from "./html.ts";
import type { Section } from "./page.ts";
import type { RunRecord } from "./run_page.ts";
import { livesOf, type Story } from "./story.ts";
import { renderTable } from "./table.ts";

/** A run as it is listed and compared. */
export interface ListedRun {
  readonly name: string;
  readonly config: unknown;
  readonly record: RunRecord;
  readonly story: Story;
}

/** A column of the list. */
type Column = readonly [title: string, cell: (run: ListedRun) => string];

const lastOf = ({ story: { finished, metrics } }: ListedRun) => finished?.step ?? metrics.at(-1)?.step ?? 0;
const digits = (value: number | null | undefined) => value == null ? "-" : Number(value).toFixed(4);

const COLUMNS: readonly Column[] = [
  ["run", ({ name }) => name],
  ["data", ({ record, story }) => record.dataset?.name ?? story.started?.dataset ?? "-"],
  ["profile", ({ story }) => story.started?.profile ?? "-"],
  ["controller", ({ config }) => (config as { controller?: { kind?: string } }).controller?.kind ?? "-"],
  ["outcome", ({ story }) => story.finished?.reason ?? "running or killed"],
  ["steps", (run) => String(lastOf(run))],
  ["spent", ({ story }) => formatFlops(story.metrics.at(-1)?.flops ?? 0)],
  ["control loss", ({ story }) => digits(story.ticks.at(-1)?.controlLoss)],
  ["test loss", ({ story }) => digits(story.finished?.loss)],
  [
    "test accuracy",
    ({ story }) => story.finished?.accuracy == null ? "-" : formatPercent(story.finished.accuracy),
  ],
  ["seeds", ({ story }) => {
    const lives = livesOf(story);
    return `${
      lives.filter(({ spells }) => spells.at(-1)!.entered.to === "FOSSILIZED").length
    } of ${lives.length}`;
  }],
  ["time", ({ story: { started, finished, metrics } }) => {
    const end = finished?.time ?? metrics.at(-1)?.time;
    return started === null || end === undefined ? "-" : formatDuration((end - started.time) / 1000);
  }],
];

const table = (runs: readonly ListedRun[]) => ({
  head: COLUMNS.map(([title]) => title),
  rows: runs.map((run) => COLUMNS.map(([, cell]) => cell(run))),
});

/** Runs as objects, for programs. */
export function listedRuns(runs: readonly ListedRun[]): Record<string, unknown>[] {
  return runs.map((run) => ({
    run: run.name,
    dataset: run.record.dataset?.name ?? null,
    outcome: run.story.finished?.reason ?? null,
    steps: lastOf(run),
    flops: run.story.metrics.at(-1)?.flops ?? 0,
    controlLoss: run.story.ticks.at(-1)?.controlLoss ?? null,
    testLoss: run.story.finished?.loss ?? null,
    testAccuracy: run.story.finished?.accuracy ?? null,
  }));
}

/** Lines of a table, a run a line. */
export function runLines(runs: readonly ListedRun[]): string[] {
  const { head, rows } = table(runs);
  return renderTable(head, rows);
}

/** Every key of a configuration, dotted, with its value. */
function flattened(value: unknown, path = ""): [string, string][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [[path, JSON.stringify(value)]];
  }
  return Object.entries(value).flatMap(([key, inner]) =>
    flattened(inner, path === "" ? key : `${path}.${key}`)
  );
}

/** Keys in which configurations differ, with the value of each run; `-` where a run has none. */
function differences(runs: readonly ListedRun[]): string[][] {
  const all = runs.map(({ config }) => new Map(flattened(config)));
  const keys = [...new Set(all.flatMap((one) => [...one.keys()]))];
  return keys.filter((key) => new Set(all.map((one) => one.get(key))).size > 1)
    .map((key) => [key, ...all.map((one) => one.get(key) ?? "-")]);
}

/** Lines that compare runs: the list, what their configurations differ in, and whether their data are the same. */
export function comparisonLines(runs: readonly ListedRun[]): string[] {
  const found = differences(runs);
  return [
    ...runLines(runs),
    "",
    ...found.length === 0
      ? ["the configurations are the same"]
      : renderTable(["differs in", ...runs.map(({ name }) => name)], found),
    ...warnings(runs).map((text) => `warning: ${text}`),
  ];
}

/** What makes runs hard to compare. */
function warnings(runs: readonly ListedRun[]): string[] {
  const several = (pick: (run: ListedRun) => unknown) => new Set(runs.map(pick)).size > 1;
  return [
    ...several(({ record }) => record.dataset?.sha256) ? ["the runs had different data"] : [],
    ...several(({ record }) => record.adapter?.description) ? ["the runs had different adapters"] : [],
  ];
}

/** The same as parts of a page, with curves. */
export function comparisonSections(runs: readonly ListedRun[]): Section[] {
  const { head, rows } = table(runs);
  const found = differences(runs);
  const chart = (
    title: string,
    y: string,
    value: (story: Story) => readonly (readonly [number, unknown])[],
    more = {},
  ) =>
    figure(
      lineChart({
        title,
        x: "GFLOP spent",
        y,
        lines: runs.map(({ name, story }) => ({
          name,
          points: value(story).map(([x, at]) => [x, Number(at)] as const),
        })),
        ...more,
      }),
      title,
    );
  const spentAt = ({ metrics }: Story, step: number) =>
    (metrics.findLast((one) => one.step <= step)?.flops ?? 0) / 1e9;
  const averaged = ({ metrics }: Story) => {
    let mean = Number(metrics[0]?.accuracy ?? 0);
    const weight = 1 / Math.max(1, metrics.length / 50);
    return metrics.map(({ flops, accuracy }) =>
      [flops / 1e9, mean += weight * (Number(accuracy) - mean)] as const
    );
  };
  return [
    {
      title: "Runs",
      html: htmlTable(head, rows) + warnings(runs).map((text) => `<p class="notice">${text}</p>`).join(""),
    },
    {
      title: "Loss",
      html: chart(
        "Control loss by FLOPs spent",
        "loss, nats",
        (story) => story.ticks.map(({ step, controlLoss }) => [spentAt(story, step), controlLoss]),
      ),
    },
    {
      title: "Accuracy",
      html: chart("Accuracy of training batches, smoothed, by FLOPs spent", "accuracy", averaged, {
        percent: true,
      }),
    },
    {
      title: "Configurations",
      html: found.length === 0
        ? "<p>The configurations are the same.</p>"
        : htmlTable(["differs in", ...runs.map(({ name }) => name)], found),
    },
  ];
}

/** The table at the end of a run, and the one of a dry run. */
import type { DryRunReport, Measured, NetworkSize, RunResult } from "../app/options.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatFlops,
  formatNumber,
  formatPercent,
} from "./format.ts";
import { kernelLines } from "./kernel_lines.ts";
import { renderTable } from "./table.ts";

function sizeRow(name: string, { params, flops }: NetworkSize, measured: Measured | null): string[] {
  const size = [String(params), formatFlops(flops)];
  if (measured === null) return [name, ...size, "-", "-", "-", "-"];
  const { split, step, loss, accuracy } = measured;
  return [name, ...size, split, String(step), loss.toFixed(4), formatPercent(accuracy)];
}

/** The host before the first seed, the network at the end, and its one look at the test split. */
function sizeTable({ host, grown, before, after, test, testViews }: RunResult): string[] {
  const head = ["network", "parameters", "forward", "split", "step", "loss", "accuracy"];
  return renderTable(head, [
    sizeRow("host", host, before),
    sizeRow("grown", grown, after),
    ...(test === null ? [] : [sizeRow("grown", grown, test)]),
    ...(testViews === null ? [] : [sizeRow(`grown, ${testViews.views} views`, grown, testViews)]),
  ]);
}

function seedTable(result: RunResult): string[] {
  if (result.seeds.length === 0) return ["no seed was germinated"];
  return renderTable(
    ["seed", "blueprint", "fate", "reason", "born at tick", "last tick", "parameters", "advantage"],
    result.seeds.map((seed) => [
      seed.seed,
      seed.blueprint,
      seed.stage.toLowerCase(),
      seed.reason,
      String(seed.born),
      String(seed.tick),
      formatCount(seed.params),
      seed.advantage === null ? "-" : formatNumber(seed.advantage),
    ]),
  );
}

function dryRunLines(report: DryRunReport): string[] {
  const total = report.layers.reduce((sum, { params }) => sum + params, 0);
  const flops = report.layers.reduce((sum, layer) => sum + layer.flops, 0);
  const rows = report.layers.map((layer) => [
    layer.name,
    `[${layer.shape.join(", ")}]`,
    String(layer.params),
    formatFlops(layer.flops),
  ]);
  return [
    ...renderTable(["layer", "output", "parameters", "forward"], [...rows, [
      "total",
      "",
      String(total),
      formatFlops(flops),
    ]]),
    "",
    `GPU memory ${formatBytes(report.memoryBytes)}; one step took ${report.stepMs.toFixed(0)} ms, ` +
    `loss ${report.loss.toFixed(4)}; nothing was written`,
  ];
}

/** Lines of the final table: sizes, loss and accuracy before and after growth, each seed's fate, notices. */
export function summaryLines(result: RunResult): string[] {
  const title = `${result.dataset} · profile ${result.profile} · ${result.adapter}`;
  const notices = result.notices.map((text) => `note: ${text}`);
  if (result.dryRun !== null) return ["", title, ...notices, "", ...dryRunLines(result.dryRun)];
  const trials = result.compilerFlops > 0 ? ` and ${formatFlops(result.compilerFlops)} to try kernels` : "";
  const spent = `${result.steps} steps, ${formatFlops(result.flops)}${trials}, ${
    formatDuration(result.seconds)
  }, ${result.trainSeconds.toFixed(1)} s of it training`;
  return [
    "",
    title,
    `${result.outcome} after ${spent}`,
    ...notices,
    "",
    ...sizeTable(result),
    "",
    ...seedTable(result),
    ...(result.kernels === undefined ? [] : kernelLines(result.kernels)),
    ...(result.directory === null ? [] : ["", `run folder: ${result.directory}`]),
    ...(result.outcome === "interrupted" && result.directory !== null
      ? [`go on with: deno run -A main.ts --resume ${result.directory}`]
      : []),
  ];
}

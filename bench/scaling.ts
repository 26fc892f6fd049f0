// How the time of a training step grows with the batch, with the width and with the depth of a ResNet: a table with the slope
// on logarithmic axes (1 is proportional), beside the slope of the FLOPs, and a plot.
//
//   deno run -A bench/scaling.ts [--svg docs/scaling.svg] [--backend auto|native|dawn] [--unsafe-gpu] [--rounds 5]
//     [--seconds 0.2] [--quick] [--json FILE]
//
// Small steps cost what their dispatches cost, whatever is in them: the slope of the upper half says how the work grows.
import { openForBench } from "./support/device.ts";
import { resnetOf } from "./support/models.ts";
import { readOptions } from "./support/options.ts";
import { logPlot } from "./support/plot.ts";
import { digits, range, startReport } from "./support/report.ts";
import { logSlope } from "./support/statistics.ts";
import { timeCalls } from "./support/timing.ts";
import { openTraining } from "./support/training_step.ts";

interface Size {
  readonly batch: number;
  readonly width: number;
  /** Blocks of each stage. */
  readonly depth: number;
}
type Axis = keyof Size;
const AXIS_NAMES: readonly Axis[] = ["batch", "width", "depth"];

const options = readOptions({ svg: "" }, { rounds: 5 });
const gpu = await openForBench(options);
const size = options.quick ? "quick" : gpu.adapter.software ? "software" : "hardware";
const report = startReport("Step time by size", options, gpu.adapter);

const START: Readonly<Record<typeof size, Size>> = {
  quick: { batch: 2, width: 4, depth: 1 },
  software: { batch: 4, width: 8, depth: 1 },
  hardware: { batch: 128, width: 32, depth: 2 },
};
const AXES: Readonly<Record<typeof size, Readonly<Record<Axis, readonly number[]>>>> = {
  quick: { batch: [2, 4], width: [4, 8], depth: [1, 2] },
  software: { batch: [2, 4, 8, 16], width: [4, 8, 16, 32], depth: [1, 2, 3, 4] },
  hardware: {
    batch: [8, 16, 32, 64, 128, 256, 512, 1024],
    width: [8, 16, 32, 64, 128],
    depth: [1, 2, 4, 8],
  },
};

interface Row extends Record<string, string | number> {
  axis: string;
  value: number;
  ms: number;
  p10: number;
  p90: number;
  gflop: number;
  dispatches: number;
}
const rows: Row[] = [];
const start = START[size];
for (const axis of AXIS_NAMES) {
  for (const value of AXES[size][axis]) {
    const { batch, width, depth }: Size = { ...start, [axis]: value };
    const { step, destroy } = await openTraining(
      gpu,
      resnetOf(width, Array(options.quick ? 1 : 4).fill(depth)),
      batch,
    );
    const { median: ms, p10, p90 } = await timeCalls(gpu, step.run, options);
    rows.push({ axis, value, ms, p10, p90, gflop: step.flops / 1e9, dispatches: step.dispatches.length });
    destroy();
  }
}
const setting =
  `ResNet of width ${start.width}, ${start.depth} blocks a stage, batch ${start.batch}, one of them varied`;
report.table(setting, {
  varied: (row: Row) => row.axis,
  to: ({ value }) => String(value),
  ms: ({ ms }) => digits(ms),
  "p10..p90": range,
  GFLOP: ({ gflop }) => digits(gflop),
  "GFLOP/s": ({ gflop, ms }) => digits(1e3 * gflop / ms),
  dispatches: ({ dispatches }) => String(dispatches),
}, rows);

const slopes = AXIS_NAMES.map((axis) => {
  const own = rows.filter((row) => row.axis === axis);
  const upper = own.slice(Math.floor((own.length - 1) / 2));
  const of = (some: readonly Row[], y: (row: Row) => number) =>
    logSlope(some.map((row) => ({ x: row.value, y: y(row) })));
  return {
    axis,
    all: of(own, ({ ms }) => ms),
    upper: of(upper, ({ ms }) => ms),
    flops: of(upper, ({ gflop }) => gflop),
  };
});
report.table("Slopes on logarithmic axes", {
  of: ({ axis }: typeof slopes[number]) => axis,
  "all sizes": ({ all }) => all.toFixed(2),
  "upper half": ({ upper }) => upper.toFixed(2),
  "FLOPs, upper half": ({ flops }) => flops.toFixed(2),
}, slopes);
if (options.own.svg) {
  const series = slopes.map(({ axis, upper }) => ({
    name: `${axis} (slope ${upper.toFixed(2)})`,
    points: rows.filter((row) => row.axis === axis)
      .map(({ value, ms }) => ({ x: value / AXES[size][axis][0], y: ms })),
  }));
  const name = gpu.adapter.description || gpu.adapter.device;
  Deno.writeTextFileSync(
    options.own.svg,
    logPlot(
      `Training step, ${name} (${gpu.adapter.backend})`,
      "times the smallest size",
      "ms a step",
      series,
    ),
  );
}
report.finish();
gpu.destroy();

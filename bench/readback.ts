// What it costs to read from the device: milliseconds and GB/s by size, and what reading the loss every so many steps does
// to a training loop.
//
//   deno run -A bench/readback.ts [--bytes 4,4096,1048576,67108864] [--every 1,10] [--batch 64] [--backend auto|native|dawn]
//     [--unsafe-gpu] [--rounds 7] [--seconds 0.2] [--quick] [--json FILE]
import { read, ReadbackRing, settled } from "../src/engine/gpu/readback.ts";
import { openForBench } from "./support/device.ts";
import { smallCnn } from "./support/models.ts";
import { numbersOf, readOptions } from "./support/options.ts";
import { digits, range, ratio, startReport } from "./support/report.ts";
import { type Spread, spreadOf } from "./support/statistics.ts";
import { openTraining } from "./support/training_step.ts";

const options = readOptions({ bytes: "", every: "1,10", batch: "" });
const gpu = await openForBench(options);
const small = options.quick || gpu.adapter.software;
const report = startReport("Readback", options, gpu.adapter);

async function repeat(rounds: number, work: () => Promise<unknown>): Promise<Spread> {
  await work();
  const times: number[] = [];
  for (let k = 0; k < rounds; k++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return spreadOf(times);
}

interface SizeRow extends Record<string, string | number>, Spread {
  bytes: number;
}
const rows: SizeRow[] = [{ bytes: 0, ...await repeat(options.rounds, () => settled(gpu)) }];
const sizes = numbersOf(options.own.bytes || (small ? "4,1048576" : "4,4096,1048576,67108864"));
for (const bytes of sizes) {
  const view = gpu.allocator.storage("source", bytes);
  rows.push({ bytes, ...await repeat(options.rounds, () => read(gpu, view, bytes)) });
  gpu.allocator.free(view);
}
report.table("Reading from an idle device", {
  bytes: (row: SizeRow) => row.bytes === 0 ? "none: is it done?" : String(row.bytes),
  ms: (row) => digits(row.median),
  "p10..p90": range,
  "GB/s": ({ bytes, median }) => bytes === 0 ? "-" : digits(bytes / median / 1e6),
}, rows);

const batch = Number(options.own.batch || (options.quick ? "2" : small ? "8" : "64"));
const { step, destroy } = await openTraining(gpu, smallCnn(), batch);
const ring = new ReadbackRing(gpu, 16);

/** Milliseconds a step where the loss is read every `every` steps; each reading is awaited when the next one is due. */
async function loop(steps: number, every: number): Promise<number> {
  const start = performance.now();
  let reading: Promise<unknown> | null = null;
  for (let k = 1; k <= steps; k++) {
    step.run();
    if (k % every !== 0) continue;
    await reading;
    reading = ring.read(step.loss);
  }
  await reading;
  await settled(gpu);
  return (performance.now() - start) / steps;
}

/** Steps in about as long as a round should take. */
async function stepsOf(): Promise<number> {
  await loop(1, Infinity);
  const probe = await loop(2, Infinity);
  const warm = await loop(Math.max(1, Math.min(1000, Math.round(1e3 * options.seconds / probe))), Infinity);
  return Math.max(2, Math.min(1000, Math.round(1e3 * options.seconds / warm)));
}

interface LoopRow extends Record<string, string | number>, Spread {
  every: number;
  silent: number;
}
const steps = await stepsOf();
const loops: LoopRow[] = [];
for (const every of [Infinity, ...numbersOf(options.own.every)]) {
  const times: number[] = [];
  for (let k = 0; k < options.rounds; k++) times.push(await loop(steps, every));
  const spread = spreadOf(times);
  loops.push({ every, silent: loops[0]?.median ?? spread.median, ...spread });
}
report.table(`Training the small CNN, batch ${batch}, ${steps} steps`, {
  "loss is read": ({ every }: LoopRow) =>
    every === Infinity ? "never" : every === 1 ? "every step" : `every ${every} steps`,
  "ms a step": ({ median }) => digits(median),
  "p10..p90": range,
  "against never": ({ median, silent }) => ratio(median, silent),
}, loops);
ring.destroy();
destroy();
report.finish();
gpu.destroy();

// What slots cost a training step: the same host with 0, 4 and 16 empty slots, and with live seeds. Steps are those of a
// run (its programs, its optimiser groups, its values of a step). Blocks of steps of A (no slots) and of B take turns,
// ABBA; of the pairs' ratios B / A the median is printed with a 95 % bootstrap interval.
//
//   deno run -A bench/slots.ts [--pairs 40] [--steps 0] [--batch 64] [--width 16] [--live 1] [--backend auto|native|dawn]
//     [--unsafe-gpu] [--seconds 0.3] [--quick] [--json FILE]
//
// --steps is how long a block is; 0 for as many as --seconds hold. The bound for empty slots is an upper end below 1.05.
// --live 0 leaves the seeds out. Of a seed in the shadow every second step trains it, as in a run.
import type { LoadedDataset } from "../src/app/loaded_dataset.ts";
import { buildNetwork, type Network } from "../src/app/network.ts";
import { createSession } from "../src/app/session.ts";
import { RunConfig } from "../src/contracts/config.ts";
import type { SeedMode } from "../src/contracts/growth.ts";
import { StepQueue } from "../src/engine/compile/step_queue.ts";
import { settled } from "../src/engine/gpu/readback.ts";
import { resnet } from "../src/engine/nn/resnet.ts";
import { nextStep } from "../src/tolaria/next_step.ts";
import { bootstrapMedian } from "../src/util/statistics.ts";
import { openForBench } from "./support/device.ts";
import { readOptions } from "./support/options.ts";
import { digits, startReport } from "./support/report.ts";

const options = readOptions({ pairs: "", steps: "0", batch: "", width: "", live: "1" }, { seconds: 0.3 });
const gpu = await openForBench(options);
const small = options.quick || gpu.adapter.software;
const side = small ? 8 : 32, CLASSES = 10;
const batch = Number(options.own.batch || (small ? 4 : 64));
const width = Number(options.own.width || (small ? 4 : 16));
const pairs = Number(options.own.pairs || (options.quick ? 3 : 40));
/** A block at each of 17 taps, so that 16 may have a slot. */
const blocks = options.quick ? [2, 2] : [8, 8];
const TAPS = Array.from({ length: 16 }, (_, k) => `block${k + 1}`);
const most = blocks.reduce((total, count) => total + count, 0);

const count = 4 * batch;
const part = {
  count,
  data: Uint8Array.from({ length: count * side * side * 3 }, (_, i) => (i * 2_654_435_761) >>> 24),
  labels: Uint8Array.from({ length: count }, (_, i) => i % CLASSES),
};
const data: LoadedDataset = {
  dataset: {
    name: "noise",
    sha256: "0".repeat(64),
    kind: "images",
    shape: [side, side, 3],
    classes: Array.from({ length: CLASSES }, (_, k) => String(k)),
    train: part,
    test: part,
  },
  split: { control: batch, validation: batch },
  augment: { crop: 0, flip: false },
  substituted: false,
  notice: null,
};

function configOf(slots: number): RunConfig {
  return RunConfig.parse({
    data: { kind: "cifar10" },
    host: { kind: "resnet", width, blocks, norm: "group", groupSize: 4 },
    train: { batch, budgetGflop: 1e12, learningRate: { peak: 1e-3 } },
    growth: {
      slots: TAPS.slice(0, Math.max(1, slots)),
      blueprints: ["conv3"],
      paramsBudget: 9,
      flopsBudget: 9,
    },
    controller: { kind: "off" },
    loop: { tickSteps: 1e9, metricsSteps: 500 },
  });
}

/** The host as it is without `morph()`. */
function withoutSlots(network: Network, config: RunConfig): Network {
  const plain = resnet([side, side, 3], CLASSES, config.host as Parameters<typeof resnet>[2]);
  return {
    ...network,
    model: {
      classes: CLASSES,
      slots: [],
      groupOf: () => "host",
      trace: (scope, x) => ({
        logits: plain.forward(scope, x),
        stopAt: [],
        taps: new Map(),
        seeds: new Map(),
      }),
    },
  };
}

interface Arm {
  readonly name: string;
  readonly dispatches: number;
  /** Milliseconds a step of a block. */
  block(steps: number): Promise<number>;
  destroy(): Promise<void>;
}

async function openArm(name: string, slots: number, mode: SeedMode | null): Promise<Arm> {
  const config = configOf(slots), network = buildNetwork(config, [side, side, 3], CLASSES);
  const session = createSession({
    config,
    gpu,
    data,
    network: slots === 0 ? withoutSlots(network, config) : network,
    folder: null,
    onEvent: () => {},
  });
  const { trainer } = session, queue = new StepQueue(gpu);
  await session.start(false);
  if (mode) {
    await trainer.swap(
      await trainer.assembler.get({ block1: { seed: "block1/1", blueprint: "conv3", mode } }),
    );
  }
  const { trainRing } = trainer.assembler;
  return {
    name,
    dispatches: (trainer.assembly.shadow ?? trainer.assembly.train).dispatches.length,
    async block(steps) {
      await trainRing.drain();
      await settled(gpu);
      const started = performance.now();
      for (let done = 0; done < steps; done += 10) {
        queue.submit(Array.from({ length: Math.min(10, steps - done) }, () => nextStep(trainer)));
      }
      await settled(gpu);
      return (performance.now() - started) / steps;
    },
    async destroy() {
      queue.destroy();
      await session.destroy();
    },
  };
}

interface PairRow extends Record<string, string | number> {
  against: string;
  msA: number;
  msB: number;
  ratio: number;
  low: number;
  high: number;
  pairs: number;
  steps: number;
  dispatchesA: number;
  dispatchesB: number;
}

async function compare(a: Arm, b: Arm): Promise<PairRow> {
  for (const arm of [a, b]) await arm.block(4);
  const probe = await a.block(4);
  const wanted = Number(options.own.steps) || Math.round(1e3 * options.seconds / probe);
  const steps = 2 * Math.max(1, Math.min(900, wanted >> 1));
  const times: { a: number; b: number }[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const first = pair % 2 === 0 ? a : b;
    const one = await first.block(steps), other = await (first === a ? b : a).block(steps);
    times.push(first === a ? { a: one, b: other } : { a: other, b: one });
  }
  const { median, low, high } = bootstrapMedian(times.map((time) => time.b / time.a));
  const middle = (of: (time: typeof times[number]) => number) => bootstrapMedian(times.map(of)).median;
  return {
    against: b.name,
    msA: middle((time) => time.a),
    msB: middle((time) => time.b),
    ratio: median,
    low,
    high,
    pairs,
    steps,
    dispatchesA: a.dispatches,
    dispatchesB: b.dispatches,
  };
}

const report = startReport("What slots cost a training step", options, gpu.adapter);
const base = await openArm("no slots", 0, null);
const against: [string, number, SeedMode | null][] = [
  ["no slots, again", 0, null],
  ["4 empty slots", 4, null],
  ...most > 4 ? [[`${most} empty slots`, most, null] as [string, number, null]] : [],
];
if (options.own.live !== "0") {
  const live = [["in the shadow", "shadow"], ["straight-through", "ste"], ["blended", "blend"], [
    "fossil",
    "fossil",
  ]] as const;
  against.push(
    ...live.map(([how, mode]): typeof against[number] => [`a conv3 seed, ${how}`, 4, mode]),
  );
}
const rows: PairRow[] = [];
for (const [name, slots, mode] of against) {
  const arm = await openArm(name, slots, mode);
  rows.push(await compare(base, arm));
  await arm.destroy();
}
report.table("Steps with slots, as multiples of those without", {
  against: (row: PairRow) => row.against,
  "ms without": (row) => digits(row.msA),
  "ms with": (row) => digits(row.msB),
  "median ratio": (row) => row.ratio.toFixed(4),
  "95 % interval": (row) => `${row.low.toFixed(4)}..${row.high.toFixed(4)}`,
  pairs: (row) => String(row.pairs),
  "steps a block": (row) => String(row.steps),
  dispatches: (row) => `${row.dispatchesA} → ${row.dispatchesB}`,
}, rows);
const worst = Math.max(
  ...rows.filter(({ against }) => against.endsWith("empty slots")).map(({ high }) => high),
);
report.note(`empty slots: upper end at most ${worst.toFixed(4)}, bound 1.05`);
report.finish();
await base.destroy();
gpu.destroy();

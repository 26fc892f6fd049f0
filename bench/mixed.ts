// Does mixed precision train as well as fp32? Both train a convolutional network on digits from the same first weights on the
// same batches, for each of several seeds; printed are the loss of the last quarter of the steps and that on the validation
// split, and the paired differences. Another row (fp32*) repeats the fp32 runs from weights that differ by one part in a
// million: what rounding alone makes of a run.
//
//   deno run -A bench/mixed.ts [--seeds 10] [--steps 300] [--norm group|batch] [--backend auto|native|dawn] [--quick]
//     [--json FILE]
import { loadDataset } from "../src/app/adapters/load_dataset.ts";
import { buildNetwork } from "../src/app/network.ts";
import { createSession } from "../src/app/session.ts";
import { RunConfig } from "../src/contracts/config.ts";
import type { Payloads } from "../src/contracts/events.ts";
import { openForBench } from "./support/device.ts";
import { readOptions } from "./support/options.ts";
import { digits, startReport } from "./support/report.ts";
import { deviationOf, pairedDifference } from "./support/statistics.ts";

const options = readOptions({ seeds: "10", steps: "", norm: "group" });
const gpu = await openForBench(options);
const small = options.quick || gpu.adapter.software;
const steps = Number(options.own.steps || (options.quick ? 16 : small ? 120 : 300));
const seeds = Array.from({ length: options.quick ? 3 : Number(options.own.seeds) }, (_, k) => k + 1);
const report = startReport("Mixed precision against fp32", options, gpu.adapter);

const ARMS = {
  "fp32": { precision: "fp32", nudge: 0 },
  "fp32*": { precision: "fp32", nudge: 1e-6 },
  "mixed": { precision: "mixed", nudge: 0 },
} as const;
type Arm = keyof typeof ARMS;

interface Outcome extends Record<string, string | number> {
  seed: number;
  arm: Arm;
  train: number;
  validation: number;
  accuracy: number;
  scale: number;
  skipped: number;
}

async function train(arm: Arm, seed: number): Promise<Outcome> {
  const config = RunConfig.parse({
    seed,
    data: {
      kind: "digits",
      ...(small ? { pixels: 14 } : {}),
      split: { control: 64, validation: small ? 512 : 2000 },
      augment: { crop: 1 },
    },
    host: { kind: "cnn", channels: small ? [8, 16] : [32, 64], norm: options.own.norm },
    train: {
      batch: small ? 32 : 64,
      budgetGflop: 1e9,
      maxSteps: steps,
      learningRate: { peak: 0.1, warmup: 0, final: 1 },
    },
    controller: { kind: "off" },
    loop: { tickSteps: steps, controlBatches: 1, metricsSteps: 10, checkpointTicks: 1000 },
    engine: { precision: ARMS[arm].precision },
  });
  const data = await loadDataset(config.data, seed);
  const metrics: Payloads["step.metrics"][] = [];
  const session = createSession({
    config,
    gpu,
    data,
    network: buildNetwork(config, data.dataset.shape, data.dataset.classes.length),
    folder: null,
    onEvent: (event) => event.topic === "step.metrics" && metrics.push(event.payload),
  });
  try {
    await session.start(false);
    const { trainer } = session;
    const { store } = trainer.parts;
    for (const name of ARMS[arm].nudge > 0 ? store.names : []) {
      store.set(name, (await store.get(name)).map((value) => value * (1 + ARMS[arm].nudge)));
    }
    await trainer.run(new AbortController().signal);
    await session.bus.drain();
    const { loss, accuracy } = await trainer.score("validation");
    const late = metrics.filter(({ step }) => step > 0.75 * steps);
    const { lossScale = 1, skippedUpdates = 0 } = metrics.at(-1)!;
    const train = late.reduce((sum, row) => sum + row.loss, 0) / late.length;
    return { seed, arm, train, validation: loss, accuracy, scale: lossScale, skipped: skippedUpdates };
  } finally {
    await session.destroy();
  }
}

const arms = Object.keys(ARMS) as Arm[];
const outcomes: Outcome[] = [];
for (const seed of seeds) for (const arm of arms) outcomes.push(await train(arm, seed));
gpu.destroy();

const of = (arm: Arm, pick: (outcome: Outcome) => number) =>
  outcomes.filter((outcome) => outcome.arm === arm).map(pick);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const COLUMNS = {
  "training loss": ({ train }: Outcome) => train,
  "validation loss": ({ validation }: Outcome) => validation,
  "validation accuracy %": ({ accuracy }: Outcome) => 100 * accuracy,
};

report.table(
  `Means of ${seeds.length} seeds, ${steps} steps`,
  {
    arm: ({ arm }) => arm,
    ...Object.fromEntries(
      Object.entries(COLUMNS).map((
        [title, pick],
      ) => [title, ({ arm }: { arm: Arm }) => mean(of(arm, pick)).toFixed(4)]),
    ),
    "loss scale": ({ arm }) => digits(mean(of(arm, ({ scale }) => scale))),
    "updates skipped": ({ arm }) => digits(mean(of(arm, ({ skipped }) => skipped))),
  },
  arms.map((arm) => ({ arm })),
);
const differences = arms.slice(1).flatMap((arm) =>
  Object.entries(COLUMNS).map(([what, pick]) => ({
    arm,
    what,
    ...pairedDifference(of(arm, pick), of("fp32", pick)),
    spread: deviationOf(of("fp32", pick)),
  }))
);
report.table("Differences to fp32, seed by seed", {
  arm: ({ arm }) => arm,
  of: ({ what }) => what,
  mean: ({ mean }) => mean.toFixed(4),
  "95 % interval": ({ mean, half }) => `${(mean - half).toFixed(4)} to ${(mean + half).toFixed(4)}`,
  "spread of seeds": ({ spread }) => spread.toFixed(4),
  // What is far below the difference of two seeds is none that matters, however surely it is there.
  verdict: ({ mean, half, spread }) =>
    Math.abs(mean) <= Math.max(half, 0.1 * spread) ? "within noise" : "differs",
}, differences);
report.finish();

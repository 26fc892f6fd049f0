import { RunConfig, type RunConfigInput } from "../contracts/config.ts";
import type { FieldName, Setup } from "./setup.ts";

const BLUEPRINTS_OF_POINTS = "pointwise,lowrank,mlp,affine";
const BLUEPRINTS_OF_IMAGES = "conv3,bottleneck,se,pointwise,dwsep,affine";
/** Points drawn for a run on spirals, the test set included. */
const POINTS_COUNT = 3600;

/** The run that a setup stands for, but for its budget. */
export function configOf(setup: Setup, examples: number): RunConfig {
  const points = setup.data === "spirals";
  const number = (name: FieldName) => Number(setup[name]);
  const held = (share: number) => Math.max(1, Math.round(share * examples));
  const input: RunConfigInput = {
    name: "browser",
    seed: number("seed"),
    data: points
      ? {
        kind: "spirals",
        classes: number("arms"),
        count: POINTS_COUNT,
        noise: number("noise"),
        turns: number("turns"),
        split: { control: 600, validation: 600, test: 400 },
      }
      : { kind: "digits", split: { control: held(0.15), validation: held(0.15), test: held(0.1) } },
    host: points
      ? { kind: "mlp", hidden: setup.hidden.split(",").map(Number) }
      : { kind: "cnn", channels: setup.channels.split(",").map(Number), groupSize: 4 },
    train: {
      batch: number("batch"),
      budgetGflop: 1,
      optimizer: { kind: "adamw", weightDecay: 1e-4 },
      learningRate: { peak: number("rate"), warmup: 0.02 },
    },
    growth: {
      blueprints: (points ? BLUEPRINTS_OF_POINTS : BLUEPRINTS_OF_IMAGES).split(","),
      incubation: setup.incubation as "shadow",
      paramsBudget: 12,
      flopsBudget: 12,
      alpha: { ticks: number("ramp") as 4 },
    },
    controller: { kind: setup.controller as "off" },
    loop: { tickSteps: number("tick"), controlBatches: 8, keepCheckpoints: 1 },
  };
  return RunConfig.parse(input);
}

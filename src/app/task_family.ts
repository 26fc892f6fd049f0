/** Tasks that tell policies apart: useful, useless and harmful blueprints, unequal slots, budgets that not all fits into. */
import { RunConfig } from "../contracts/config.ts";
import type { Effects, SeedEffect } from "../tamiyo/simulator/effects.ts";
import type { SimulatedTask } from "../tamiyo/simulator/task.ts";
import { tickFlops } from "../tamiyo/simulator/terms.ts";
import { type Prng, prng } from "../util/prng.ts";
import { calibration } from "./calibration.ts";
import { openTask } from "./open_tasks.ts";
import { termsOf } from "./simulation.ts";

/** Channels of the hosts of a split, and the side of their images. No host is in two splits. */
const HOSTS = {
  training: [
    { channels: [4, 8, 16], pixels: 16 },
    { channels: [6, 12], pixels: 16 },
    { channels: [8, 8, 16], pixels: 16 },
    { channels: [8, 16], pixels: 8 },
  ],
  heldOut: [
    { channels: [5, 10, 20], pixels: 16 },
    { channels: [12, 12], pixels: 8 },
  ],
} as const satisfies Record<string, readonly Host[]>;
export type TaskSplit = keyof typeof HOSTS;

interface Host {
  readonly channels: readonly number[];
  readonly pixels: number;
}

/**
 * What blueprints do: gain and pace as multiples of the most useful seed's in the calibration, wear in gains per
 * unit of skill.
 */
const KINDS: Readonly<Record<string, SeedEffect>> = {
  conv3: { gain: 1, pace: 1, wear: 0 },
  bottleneck: { gain: 0.7, pace: 0.8, wear: 0 },
  pointwise: { gain: 0.45, pace: 0.6, wear: 0 },
  se: { gain: 0.15, pace: 0.4, wear: 0 },
  affine: { gain: 0, pace: 1, wear: 0 },
  dwsep: { gain: -0.4, pace: 1, wear: 0 },
  // Helps at first.
  lowrank: { gain: 0.3, pace: 0.3, wear: 1.5 },
};
/** A task has two useful blueprints, the placebo, and a harmful one. */
const USEFUL = ["conv3", "bottleneck", "pointwise", "se"], HARMFUL = ["dwsep", "lowrank"];

/** Standard deviation of the logarithm of a task's numbers around their middle. */
const SPREAD = 0.15;
/** Share of a gain that is left in the least of a host's slots, which is the first; the last one has all of it. */
const LEAST_SLOT = 0.3;

/** Ticks that the host alone would take. */
const TICKS = 24;

const GATES = {
  ...{ minTicksLeft: 6, trainingTicks: 2, trainingLimit: 4, holdingTicks: 2, holdingLimit: 6 },
  ...{ removalMeasurements: 2, pruneAge: 2, blendOutTicks: 1, embargoTicks: 1 },
};

/** `rich`: growth always pays. `open`: whether it does has to be found out, as in `open_tasks.ts`. */
type TaskKind = "rich" | "open";

/** The first `count` tasks of a split, the same at each call. */
export function drawTasks(split: TaskSplit, count: number, kind: TaskKind = "rich"): SimulatedTask[] {
  return Array.from({ length: count }, (_, k) => nthTask(split, k, kind));
}

/** Task `k` of a split, from 0 on. Hosts take turns. */
export function nthTask(split: TaskSplit, k: number, kind: TaskKind): SimulatedTask {
  const host = HOSTS[split][k % HOSTS[split].length], name = `${split}-${k + 1}`;
  return kind === "open" ? openTask(`open-${name}`, host, KINDS) : drawTask(name, host);
}

function drawTask(name: string, host: Host): SimulatedTask {
  const random = prng(0, `simulator.task.${name}`);
  const left = random.below(USEFUL.length);
  const useful = USEFUL.filter((_, k) => k !== left && k !== (left + 1) % USEFUL.length);
  const pool = [...useful, "affine", HARMFUL[random.below(HARMFUL.length)]];
  const order = pool.map((_, k) => k);
  random.shuffle(order);
  const blueprints = order.map((k) => pool[k]);
  const config = configOf(name, host, blueprints, 1.6 + 0.8 * random.uniform());
  return { name, config, effects: effectsOf(random, config) };
}

function configOf(
  name: string,
  { channels, pixels }: Host,
  blueprints: string[],
  paramsBudget: number,
): RunConfig {
  const config = (budgetGflop: number) =>
    RunConfig.parse({
      name,
      data: { kind: "cifar10", pixels },
      host: { kind: "cnn", channels: [...channels], norm: "batch" },
      train: { budgetGflop },
      growth: {
        ...{ slots: ["block*"], blueprints, paramsBudget, flopsBudget: 1.4, maxLive: 1 },
        ...{ alpha: { ticks: 2 }, gates: GATES },
      },
      controller: { kind: "off" },
    });
  const tick = tickFlops(termsOf(config(1)), {});
  return config((TICKS + 0.5) * tick / 1e9);
}

function effectsOf(random: Prng, { host, growth }: RunConfig): Effects {
  const { effects: fitted } = calibration;
  const seen = Object.values(fitted.seeds).flatMap((seeds) => Object.values(seeds));
  const unit = seen.reduce((most, seed) => seed.gain > most.gain ? seed : most);
  const about = (value: number) => value * Math.exp(SPREAD * random.normal());
  const count = host.kind === "cnn" ? host.channels.length : 0;
  const slots = Array.from({ length: count }, (_, k) => ({
    name: `block${k + 1}`,
    share: LEAST_SLOT ** (1 - k / (count - 1)),
    like: Object.values(fitted.signals)[k] ?? Object.values(fitted.signals)[0],
  }));
  const seedsOf = (share: number) =>
    Object.fromEntries(growth.blueprints.map((name) => {
      const { gain, pace, wear } = KINDS[name];
      const size = about(unit.gain * share);
      return [name, { gain: gain * size, pace: about(pace * unit.pace), wear: wear * size }];
    }));
  return {
    curve: fitted.curve,
    room: fitted.room,
    noise: fitted.noise,
    seeds: Object.fromEntries(slots.map(({ name, share }) => [name, seedsOf(share)])),
    signals: Object.fromEntries(slots.map(({ name, like }) => [name, like])),
  };
}

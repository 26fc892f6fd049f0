/** Simulated tasks where growth may pay or not: gains from far below the rent to far above, rules of both kinds of real runs. */
import { RunConfig } from "../contracts/config.ts";
import type { Effects, SeedEffect } from "../tamiyo/simulator/effects.ts";
import type { SimulatedTask } from "../tamiyo/simulator/task.ts";
import { tickFlops } from "../tamiyo/simulator/terms.ts";
import { type Prng, prng } from "../util/prng.ts";
import { calibration } from "./calibration.ts";
import { termsOf } from "./simulation.ts";

/** What the most useful blueprint takes off the loss, in nats: in logged runs from nothing to 0.3. */
const GAIN = [0.004, 0.3] as const;
/** Share of it in the first slot; 1 in the last. */
const FIRST_SLOT = [0.25, 2] as const;
/** Ticks that the host alone would take. */
const TICKS = [16, 48] as const;
/** Standard deviation of the logarithm of a seed's numbers. */
const SPREAD = 0.4;
/** Chance that a task's blueprints have each other's effects: what is known by name is often wrong. */
const SWAPPED = 0.25;

type Range = readonly [low: number, high: number];

/** Rules of the tasks in configs/policies, and those of the small profile. */
const RULES: readonly { readonly paramsBudget: Range; readonly [key: string]: unknown }[] = [
  {
    ...{ incubation: "shadow", maxLive: 1, flopsBudget: 3, paramsBudget: [1.6, 3] },
    gates: {
      ...{
        minTicksLeft: 6,
        trainingTicks: 1,
        trainingLimit: 6,
        confidence: 0,
        holdingTicks: 1,
        holdingLimit: 6,
      },
      ...{ removalMeasurements: 1, pruneAge: 2, blendOutTicks: 1, embargoTicks: 1 },
    },
  },
  {
    ...{ incubation: "none", maxLive: 3, flopsBudget: 2, paramsBudget: [3, 5] },
    gates: { trainingTicks: 1, confidence: 0, holdingTicks: 1, removalMeasurements: 1 },
  },
];

interface Host {
  readonly channels: readonly number[];
  readonly pixels: number;
}

const between = (random: Prng, [low, high]: Range) => low + (high - low) * random.uniform();
const betweenLogs = (random: Prng, [low, high]: Range) =>
  Math.exp(between(random, [Math.log(low), Math.log(high)]));

function shuffled<T>(random: Prng, values: readonly T[]): T[] {
  const order = values.map((_, k) => k);
  random.shuffle(order);
  return order.map((k) => values[k]);
}

/**
 * A task drawn by its name. One to five blueprints, most often `conv3` among them.
 *
 * @param kinds What blueprints do, as multiples of the most useful seed's gain and of the calibrated pace.
 */
export function openTask(
  name: string,
  { channels, pixels }: Host,
  kinds: Readonly<Record<string, SeedEffect>>,
): SimulatedTask {
  const random = prng(0, `simulator.task.${name}`);
  const some = shuffled(random, Object.keys(kinds)).slice(0, 1 + random.below(5));
  const blueprints = some.includes("conv3") || random.uniform() < 0.4
    ? some
    : shuffled(random, [...some.slice(1), "conv3"]);
  const { paramsBudget, gates, ...rules } = RULES[random.below(RULES.length)];
  const budget = between(random, paramsBudget), ticks = between(random, TICKS);
  const configOf = (budgetGflop: number) =>
    RunConfig.parse({
      name,
      data: { kind: "cifar10", pixels },
      host: { kind: "cnn", channels: [...channels], norm: "batch" },
      train: { budgetGflop },
      growth: {
        ...{ slots: ["block*"], blueprints, ...rules, paramsBudget: budget, alpha: { ticks: 2 }, gates },
      },
      controller: { kind: "off" },
    });
  const config = configOf(ticks * tickFlops(termsOf(configOf(1)), {}) / 1e9);
  const like = random.uniform() < SWAPPED ? shuffled(random, blueprints) : blueprints;
  const told = Object.fromEntries(blueprints.map((one, k) => [one, kinds[like[k]]]));
  return { name, config, effects: effectsOf(random, channels.length, told) };
}

function effectsOf(
  random: Prng,
  count: number,
  kinds: Readonly<Record<string, SeedEffect>>,
): Effects {
  const { effects: { curve, room, noise, seeds, signals } } = calibration;
  const [{ pace: unit }] = Object.values(seeds).flatMap((of) => Object.values(of));
  const gain = betweenLogs(random, GAIN), first = betweenLogs(random, FIRST_SLOT);
  const spread = () => Math.exp(SPREAD * random.normal());
  const slots = Array.from({ length: count }, (_, k) => ({
    name: `block${k + 1}`,
    share: first ** (1 - k / Math.max(1, count - 1)),
    like: Object.values(signals)[k] ?? Object.values(signals)[0],
  }));
  const seedsOf = (share: number) =>
    Object.fromEntries(
      Object.entries(kinds).map(([name, one]) => {
        const size = gain * share * spread();
        return [name, { gain: one.gain * size, pace: one.pace * unit * spread(), wear: one.wear * size }];
      }),
    );
  return {
    ...{ curve, room, noise },
    seeds: Object.fromEntries(slots.map(({ name, share }) => [name, seedsOf(share)])),
    signals: Object.fromEntries(slots.map(({ name, like }) => [name, like])),
  };
}

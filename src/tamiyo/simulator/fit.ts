import type { SlotObservation, Stage } from "../../contracts/control.ts";
import type { SeedMode } from "../../contracts/growth.ts";
import { type Effects, gainOf, type HostCurve, hostLoss, jointGain, type SeedEffect } from "./effects.ts";
import { leastSquares } from "./least_squares.ts";
import { budgetOf, hostTickFlops, rateIntegral, type Terms } from "./terms.ts";

/** What a run's log says of a tick: losses as measured there, stages as its decision left them. */
export interface LoggedTick {
  readonly progress: number;
  readonly controlLoss: number;
  readonly slots: readonly Pick<
    SlotObservation,
    "slot" | "stage" | "blueprint" | "alpha" | "advantage" | "health"
  >[];
}

/** A run as its log tells it. */
export interface LoggedRun {
  readonly terms: Terms;
  modeOf(stage: Stage): SeedMode | null;
  /** From the first one on, none left out. */
  readonly ticks: readonly LoggedTick[];
}

/** A seed as it stood at a tick, with what it had learned. */
interface Grown {
  readonly slot: string;
  readonly blueprint: string;
  readonly alpha: number;
  readonly skill: number;
}

/** What switching one of the seeds on, or off where it is on, was measured to do. */
interface Trial {
  readonly seed: number;
  readonly mean: number;
  readonly se: number;
}

interface Point {
  readonly learned: number;
  readonly rate: number;
  readonly loss: number;
  readonly seeds: readonly Grown[];
  readonly trials: readonly Trial[];
}

/** What a fit found. All but the noise comes from one least-squares problem. */
export interface Fitted {
  readonly effects: Effects;
  /** Root mean squares of what is left unexplained, in nats. */
  readonly residual: { readonly loss: number; readonly advantage: number };
  readonly seeds: number;
}

/** Standard errors claimed below this are not believed, in nats. */
const LEAST_ERROR = 0.002;
/** What is believed before anything was measured: gains in nats; logarithms of the pace, and of a slot's share in the gain. */
const PRIORS = {
  gain: { mean: 0, sd: 0.15 },
  pace: { mean: Math.log(0.1), sd: 0.7 },
  share: { mean: 0, sd: 0.5 },
};
/** What all seeds together can take off: logs of two or three seeds hardly tell. */
const ROOM = 0.5;

/**
 * Fits the model to logs: the host's curve, a gain for each blueprint, a share of it for each slot (1 for the last), one pace for all. Wear
 * cannot be told from small gains in short runs; it stays 0.
 *
 * @param lossError Standard error of a control loss, in nats: the weight of losses against that of advantages.
 */
export function fitEffects(runs: readonly LoggedRun[], lossError = 0.03): Fitted {
  const byRun = runs.map(pointsOf), points = byRun.flat(), all = points.flatMap(({ seeds }) => seeds);
  const slots = runs[0].ticks[0].slots.map(({ slot }) => slot);
  const blueprints = [...new Set(all.map(({ blueprint }) => blueprint))].sort();
  const form = formOf(slots, blueprints);
  const parameters = leastSquares((values) => {
    const guess = form.read(values);
    return [
      ...points.flatMap((point) => {
        const { loss, advantages } = explain(guess, point);
        return [
          (point.loss - loss) / lossError,
          ...point.trials.map(({ mean, se }, k) => (mean - advantages[k]) / Math.hypot(se, LEAST_ERROR)),
        ];
      }),
      ...form.prior(values),
    ];
  }, form.guess);
  const found = form.read(parameters);
  const losses = byRun.map((of) => of.map((point) => point.loss - explain(found, point).loss));
  // One run's weights may suit it better than another's: that is no noise of what is measured in it.
  const scatter = losses.flatMap((of) => {
    const mean = of.reduce((sum, value) => sum + value, 0) / of.length;
    return of.map((value) => value - mean);
  });
  const advantages = points.flatMap((point) => {
    const told = explain(found, point).advantages;
    return point.trials.map(({ mean }, k) => mean - told[k]);
  });
  const trials = points.flatMap(({ trials }) => trials);
  return {
    effects: { ...found, signals: signalsOf(runs, slots), noise: noiseOf(rms(scatter), trials) },
    residual: { loss: rms(losses.flat()), advantage: rms(advantages) },
    seeds: runs.flatMap(birthsOf).length,
  };
}

type Guess = Pick<Effects, "curve" | "room" | "seeds">;

/** Parameters as one row of numbers: what must be positive by its logarithm. */
function formOf(slots: readonly string[], blueprints: readonly string[]) {
  const gainsAt = 6, sharesAt = gainsAt + blueprints.length;
  return {
    guess: [1.2, ...[0.8, 0.05, 0.5, 0.1, 0.1].map(Math.log)].concat(
      blueprints.map(() => 0.02),
      slots.slice(1).map(() => 0),
    ),
    /** How far the parameters are from what was believed, in standard deviations. */
    prior: (values: readonly number[]) =>
      values.slice(gainsAt - 1).map((value, k) => {
        const { mean, sd } = k === 0 ? PRIORS.pace : k <= blueprints.length ? PRIORS.gain : PRIORS.share;
        return (value - mean) / sd;
      }),
    read(values: readonly number[]): Guess {
      const [gap, scale, power, ripple, pace] = values.slice(1, gainsAt).map(Math.exp);
      const curve: HostCurve = { floor: values[0], gap, scale, power, ripple };
      const shareOf = (k: number) => k === slots.length - 1 ? 1 : Math.exp(values[sharesAt + k]);
      const effect = (b: number, k: number): SeedEffect => ({
        gain: values[gainsAt + b] * shareOf(k),
        pace,
        wear: 0,
      });
      const seeds = Object.fromEntries(slots.map((slot, k) => [
        slot,
        Object.fromEntries(blueprints.map((name, b) => [name, effect(b, k)])),
      ]));
      return { curve, room: ROOM, seeds };
    },
  };
}

/** What the model makes of a point. */
function explain({ curve, room, seeds }: Guess, { learned, rate, seeds: grown, trials }: Point) {
  const gains = grown.map(({ slot, blueprint, skill }) => gainOf(seeds[slot][blueprint], skill));
  const present = grown.reduce((sum, { alpha }, k) => sum + alpha * gains[k], 0);
  return {
    loss: hostLoss(curve, learned, rate) - jointGain(present, room),
    advantages: trials.map(({ seed }) => {
      const on = (alpha: number) => jointGain(present + (alpha - grown[seed].alpha) * gains[seed], room);
      return on(1) - on(0);
    }),
  };
}

/**
 * What the host and the seeds had learned at each tick, from what the ticks cost. Programs hold in a tick what the decision
 * before the last called for.
 */
function pointsOf({ terms, ticks, modeOf }: LoggedRun): Point[] {
  const { train: { learningRate }, growth } = terms.config;
  const skills = new Map<string, number>();
  let learned = 0, before = 0;
  return ticks.map(({ progress, controlLoss, slots }, k) => {
    const share = hostTickFlops(terms) / ((progress - before) * budgetOf(terms));
    const rates = rateIntegral(progress, learningRate) - rateIntegral(before, learningRate);
    const gained = rates * Math.min(1, share);
    learned += gained;
    const rate = rates / (progress - before);
    before = progress;
    const modes = new Map(ticks[k - 2]?.slots.map(({ slot, stage }) => [slot, modeOf(stage)]));
    for (const { slot } of slots) {
      const mode = modes.get(slot) ?? null;
      const pace = mode === null ? 0 : mode === "shadow" || mode === "ste" ? 1 / growth.shadowEvery : 1;
      if (mode === null) skills.delete(slot);
      else skills.set(slot, (skills.get(slot) ?? 0) + pace * gained);
    }
    const seeds = slots.flatMap(({ slot, blueprint, alpha }): Grown[] =>
      blueprint === null || !skills.has(slot) ? [] : [{ slot, blueprint, alpha, skill: skills.get(slot)! }]
    );
    const trials = slots.flatMap(({ slot, stage, advantage }) => {
      const seed = seeds.findIndex((grown) => grown.slot === slot);
      const known = stage === "TRAINING" && seed >= 0 && advantage;
      return known ? [{ seed, mean: advantage.mean, se: advantage.se }] : [];
    });
    return { learned, rate, loss: controlLoss, seeds, trials };
  });
}

const rms = (values: readonly number[]) =>
  values.length === 0 ? 0 : Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

/** The line through what trials claim as standard errors by what they measured, neither end below 0. */
function noiseOf(loss: number, trials: readonly Trial[]): Effects["noise"] {
  if (trials.length === 0) return { loss, paired: LEAST_ERROR, share: 0 };
  const mean = (of: (trial: Trial) => number) =>
    trials.reduce((sum, trial) => sum + of(trial), 0) / trials.length;
  const x = mean(({ mean }) => Math.abs(mean)), y = mean(({ se }) => se);
  const spread = mean((trial) => (Math.abs(trial.mean) - x) ** 2);
  const rise = mean((trial) => (Math.abs(trial.mean) - x) * (trial.se - y)) / Math.max(spread, 1e-12);
  const share = Math.min(Math.max(0, rise), y / Math.max(x, 1e-12));
  return { loss, paired: y - share * x, share };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Medians over ticks. */
function signalsOf(runs: readonly LoggedRun[], slots: readonly string[]): Effects["signals"] {
  const seen = runs.flatMap(({ ticks }) => ticks.flatMap((tick) => tick.slots));
  return Object.fromEntries(slots.map((slot) => {
    const here = seen.filter((row) => row.slot === slot);
    const typical = (of: (row: typeof here[0]) => number | null) => {
      const known = here.map(of).filter((value) => value !== null && Number.isFinite(value));
      return known.length === 0 ? 1 : median(known as number[]);
    };
    return [slot, {
      hMean: typical(({ health }) => health.hMean.value),
      hVariance: typical(({ health }) => health.hVariance.value),
      hDead: Math.min(1, typical(({ health }) => health.hDead.value)),
      hostGradNorm: typical(({ health }) => health.hostGradNorm.value),
      gradRatio: typical(({ health }) =>
        health.gradNorm.value === null || !health.hostGradNorm.value
          ? null
          : health.gradNorm.value / health.hostGradNorm.value
      ),
    }];
  }));
}

/** Every germination of a run. */
function birthsOf({ ticks }: LoggedRun): string[] {
  return ticks.flatMap(({ slots }) =>
    slots.filter(({ stage }) => stage === "GERMINATED").map(({ slot }) => slot)
  );
}

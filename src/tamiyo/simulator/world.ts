import type { Effects } from "./effects.ts";
import { gainOf, hostLoss, jointGain } from "./effects.ts";
import { budgetOf, hostTickFlops, type Plot, rateIntegral, type Terms, tickFlops } from "./terms.ts";

/** What no controller sees. */
export interface World {
  /** FLOPs spent. */
  readonly spent: number;
  /** Integral of the learning rate over the host's steps, as shares of the budget. */
  readonly learned: number;
  /** The same over those of each seed that is planted. */
  readonly skills: Readonly<Record<string, number>>;
}

export const NEWBORN: World = { spent: 0, learned: 0, skills: {} };

/** Learning rate, as a share of its peak, when that share of the budget is spent. */
export function rateAt(terms: Terms, progress: number): number {
  const near = 1e-6, { learningRate } = terms.config.train;
  const from = Math.max(0, progress - near), to = Math.min(1, progress + near);
  return (rateIntegral(to, learningRate) - rateIntegral(from, learningRate)) / (to - from);
}

/** Trains to the end of the tick, or of the budget. Frozen seeds learn nothing, incubating ones at the steps they have. */
export function trainTick(
  terms: Terms,
  world: World,
  plot: Plot,
  frozen: (slot: string) => boolean,
): World {
  const { train: { learningRate }, growth } = terms.config;
  const budget = budgetOf(terms), price = tickFlops(terms, plot);
  const spent = Math.min(budget, world.spent + price);
  const rate = rateIntegral(spent / budget, learningRate) - rateIntegral(world.spent / budget, learningRate);
  const learned = rate * hostTickFlops(terms) / price;
  const skills = Object.fromEntries(
    Object.entries(plot).map(([slot, { mode }]) => {
      const pace = frozen(slot) ? 0 : mode === "shadow" || mode === "ste" ? 1 / growth.shadowEvery : 1;
      return [slot, (world.skills[slot] ?? 0) + pace * learned];
    }),
  );
  return { spent, learned: world.learned + learned, skills };
}

/** What a seed takes off the loss at full strength and by itself. */
export function gainAt({ seeds }: Effects, world: World, slot: string, blueprint: string): number {
  return gainOf(seeds[slot][blueprint], world.skills[slot] ?? 0);
}

/** Loss of the network with the seeds of a plot, each at its strength. */
export function lossOf(
  terms: Terms,
  effects: Effects,
  world: World,
  plot: Plot,
  alphaOf: (slot: string) => number,
): number {
  const sum = Object.entries(plot).reduce(
    (total, [slot, { blueprint }]) => total + alphaOf(slot) * gainAt(effects, world, slot, blueprint),
    0,
  );
  const rate = rateAt(terms, world.spent / budgetOf(terms));
  return hostLoss(effects.curve, world.learned, rate) - jointGain(sum, effects.room);
}

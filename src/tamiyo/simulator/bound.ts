import { LIVE_STAGES } from "../../contracts/lifecycle.ts";
import type { SlotObservation, Stage } from "../../contracts/control.ts";
import { bestGain, hostLoss, jointGain } from "./effects.ts";
import type { Simulator } from "./simulator.ts";
import { budgetOf, hostTickFlops, type Plot, rateIntegral, type Terms, tickFlops } from "./terms.ts";
import { rateAt } from "./world.ts";

/** What seeds add up to: gains by themselves, rent in nats, and shares of the host's parameters and FLOPs. */
interface Crop {
  readonly gain: number;
  readonly rent: number;
  readonly params: number;
  readonly flops: number;
}

const plus = (a: Crop, b: Crop): Crop => ({
  gain: a.gain + b.gain,
  rent: a.rent + b.rent,
  params: a.params + b.params,
  flops: a.flops + b.flops,
});
const NOTHING: Crop = { gain: 0, rent: 0, params: 0, flops: 0 };

/**
 * More than any plan can still reach, in nats. The host learns as if there were no seeds beside it but the fossils; seeds
 * yet to be sown are sown as early as one a tick, the lifecycle and `maxLive` allow, take no FLOPs and turn out for the best.
 */
export function upperBound({ world, parts: { terms, effects, rules, reward: { rent } } }: Simulator): number {
  const slots = rules.lifecycle.observe(), { growth } = terms.config;
  const fossils = slots.filter(({ stage }) => stage === "FOSSILIZED");
  const future = futureOf(terms, world.spent, fossils);
  const left = future.learnedFrom(0);
  const crop = (slot: string, blueprint: string, from: number, to: number): Crop => {
    const traits = terms.candidates[slot][blueprint];
    const params = traits.params / terms.host.params, flops = traits.flops / terms.host.flops;
    const gain = bestGain(effects.seeds[slot][blueprint], from, to);
    return { gain, rent: rent.params * params + rent.flops * flops, params, flops };
  };
  const asIs = ({ slot, blueprint }: SlotObservation): Crop => {
    const skill = world.skills[slot] ?? 0;
    return crop(slot, blueprint!, skill, skill + left);
  };
  const kept = fossils.map(asIs).reduce(plus, NOTHING);
  const live = slots.filter(({ stage }) => LIVE_STAGES.includes(stage));
  const empty = slots.filter((slot) => !fossils.includes(slot) && !live.includes(slot));
  const span = lifeTicks(terms), crowd = growth.maxLive;
  const sowing: Sowing = {
    sown(slot, start) {
      const skill = future.skillFrom(start);
      return skill === 0 ? [] : Object.keys(terms.candidates[slot]).map((name) => crop(slot, name, 0, skill));
    },
    worth: ({ gain, rent, params, flops }) =>
      1 + params <= growth.paramsBudget + ROUNDING && 1 + flops <= growth.flopsBudget + ROUNDING
        ? jointGain(gain, effects.room) - rent
        : -Infinity,
  };
  const best = (before: Crop, rows: readonly SlotObservation[], from: number) =>
    bestSowing(sowing, before, rows.map(({ slot }) => slot), (k) => from + span * Math.floor(k / crowd));
  // Those that live stay, and others may have to wait for them; or they go, and their slots are sown anew.
  const wait = live.length === crowd ? Math.min(...live.map((slot) => ticksToFossil(terms, slot))) + 1 : 0;
  const gains = live.length < 2
    ? [best(live.map(asIs).reduce(plus, kept), empty, wait), best(kept, [...empty, ...live], 0)]
    : [
      best({ ...kept, gain: kept.gain + live.reduce((sum, seed) => sum + Math.max(0, asIs(seed).gain), 0) }, [
        ...empty,
        ...live,
      ], 0),
    ];
  const final = rateAt(terms, 1), { curve } = effects;
  const alone = hostLoss(curve, futureOf(terms, 0, []).learnedFrom(0), final);
  return alone - hostLoss(curve, world.learned + left, final) + Math.max(...gains);
}

/** Budgets may be met to the last digit. */
const ROUNDING = 1e-9;

interface Sowing {
  /** What each blueprint could come to in a slot if it germinated at a tick from now. */
  sown(slot: string, start: number): Crop[];
  /** Of all seeds in the end. */
  worth(crop: Crop): number;
}

/** The most that may come of sowing some of the slots, in any order; `startOf` is the tick of the k-th. */
function bestSowing(
  sowing: Sowing,
  before: Crop,
  slots: readonly string[],
  startOf: (k: number) => number,
  k = 0,
): number {
  let best = sowing.worth(before);
  if (best === -Infinity) return best;
  for (const slot of slots) {
    const rest = slots.filter((other) => other !== slot);
    for (const crop of sowing.sown(slot, startOf(k))) {
      if (crop.gain > 0) best = Math.max(best, bestSowing(sowing, plus(before, crop), rest, startOf, k + 1));
    }
  }
  return best;
}

/** Least ticks from the germination of a seed to that of another in its place. */
function lifeTicks(terms: Terms): number {
  return 2 + ticksToFossil(terms, null);
}

/** Least ticks until a seed may be a fossil; null stands for one that is sown at the next tick. */
function ticksToFossil({ config: { growth } }: Terms, seed: SlotObservation | null): number {
  const { gates, alpha, incubation } = growth;
  const holding = Math.max(gates.holdingTicks, gates.removalMeasurements);
  const blending = (incubation === "none" ? 0 : alpha.ticks) + 1 + holding;
  const training = gates.trainingTicks + blending;
  const from: Partial<Record<Stage, number>> = { HOLDING: holding, BLENDING: blending, TRAINING: training };
  return seed && from[seed.stage] !== undefined
    ? Math.max(0, from[seed.stage]! - seed.ticksInStage)
    : training;
}

/** What can be learned from a tick on, counted from now, with nothing in the network but its fossils. */
function futureOf(terms: Terms, spent: number, fossils: readonly SlotObservation[]) {
  const { train: { learningRate }, growth } = terms.config, budget = budgetOf(terms);
  const plot: Plot = Object.fromEntries(
    fossils.map(({ slot, blueprint }) => [slot, { blueprint: blueprint!, mode: "fossil" }]),
  );
  const price = tickFlops(terms, plot), ratio = hostTickFlops(terms) / price;
  const whole = rateIntegral(1, learningRate);
  const learnedFrom = (tick: number) =>
    ratio * (whole - rateIntegral(Math.min(1, (spent + tick * price) / budget), learningRate));
  const pace = growth.incubation === "none" ? 1 : 1 / growth.shadowEvery;
  return {
    learnedFrom,
    /** Of a seed that germinates at a tick: built for one, then in the shadow until it is blended in. */
    skillFrom(tick: number) {
      if ((budget - spent) / price - tick < growth.gates.minTicksLeft) return 0;
      const planted = learnedFrom(tick + 1), blended = learnedFrom(tick + 2 + growth.gates.trainingTicks);
      return pace * (planted - blended) + blended;
    },
  };
}

import type { RewardConfig } from "../../contracts/reward.ts";
import { type TwinCurve, twinLossAt } from "./twin_curve.ts";

/** Where a run stands at a tick: control loss, and FLOPs spent, everything counted. */
export interface Standing {
  readonly loss: number;
  readonly flops: number;
}

/** What a run came to. */
export interface Outcome {
  /** Validation loss of the network that remains, fossils only. */
  readonly loss: number;
  /** The same with the fossils taken out; asked for by `removal` alone. */
  readonly without: number;
  /** Parameters and forward FLOPs of the fossils, as multiples of the host's. */
  readonly params: number;
  readonly flops: number;
}

/** Pays one run, decision by decision. */
export interface Reward {
  /** For the decision that led to this tick. */
  atTick(standing: Standing): number;
  /** For the last decision. The sum over a run is the mode's score of what came out, less rent. */
  atEnd(outcome: Outcome): number;
}

/** What the outcome itself is worth, before rent. */
const merits: Record<RewardConfig["mode"], (outcome: Outcome, twin: TwinCurve) => number> = {
  twin: ({ loss }, twin) => twin.final - loss,
  sparse: ({ loss }, twin) => twin.final - loss,
  removal: ({ loss, without }) => without - loss,
};

/** Final loss advantage over the twin less rent: what a run is worth, whichever way it was paid. */
export function netAdvantage(outcome: Outcome, twin: TwinCurve, rent: RewardConfig["rent"]): number {
  return merits.twin(outcome, twin) - rentOf(outcome, rent);
}

function rentOf({ params, flops }: Outcome, rent: RewardConfig["rent"]): number {
  return rent.params * params + rent.flops * flops;
}

/**
 * The reward of one run against its twin. Stages earn nothing, and neither does progress that the host makes anyway: it is
 * in both curves. `twin` is a potential difference (Ng, Harada and Russell 1999, with a discount of 1): the control loss below the
 * twin's at the same FLOPs, paid as it changes and settled at the end by the compacted network's score.
 */
export function createReward({ mode, rent }: RewardConfig, twin: TwinCurve): Reward {
  let paid = 0;
  return {
    atTick({ loss, flops }) {
      if (mode !== "twin") return 0;
      const advantage = twinLossAt(twin, flops) - loss, change = advantage - paid;
      paid = advantage;
      return change;
    },
    atEnd: (outcome) => merits[mode](outcome, twin) - rentOf(outcome, rent) - paid,
  };
}

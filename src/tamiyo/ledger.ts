import { z } from "zod";
import type { HeuristicConfig, Observation, SlotObservation } from "../contracts/control.ts";
import { LIVE_STAGES } from "../contracts/lifecycle.ts";

const Tally = z.strictObject({ n: z.int(), sum: z.number() });

/** What the seeds so far have been worth, as JSON. Values are nats of advantage less rent. */
export const Ledger = z.strictObject({
  /** Tick of the latest germination. */
  lastGermination: z.int().nullable(),
  /** Germinations by slot. */
  tries: z.record(z.string(), z.int()),
  /** Seeds that live, by slot: their last measured value. */
  live: z.record(z.string(), z.strictObject({ blueprint: z.string(), value: z.number().nullable() })),
  /** Seeds whose fate is known, by blueprint. */
  settled: z.record(z.string(), Tally),
});
export type Ledger = z.infer<typeof Ledger>;

export function emptyLedger(): Ledger {
  return { lastGermination: null, tries: {}, live: {}, settled: {} };
}

/** Takes in a tick's observation: new seeds, new values, and the seeds that are gone or fossils. */
export function updateLedger(ledger: Ledger, observation: Observation, config: HeuristicConfig): void {
  for (const slot of observation.slots) {
    const known = ledger.live[slot.slot];
    if (slot.blueprint !== null && LIVE_STAGES.includes(slot.stage)) {
      if (known === undefined) {
        ledger.tries[slot.slot] = (ledger.tries[slot.slot] ?? 0) + 1;
        ledger.lastGermination = Math.max(ledger.lastGermination ?? 0, observation.tick - slot.age);
      }
      const worth = slot.advantage === null ? NaN : slot.advantage.mean - rentOf(slot, observation, config);
      const value = Number.isFinite(worth) ? worth : known?.value ?? null;
      ledger.live[slot.slot] = { blueprint: slot.blueprint, value };
    } else if (known !== undefined) {
      // A seed that went before anything was measured has earned nothing.
      const tally = ledger.settled[known.blueprint] ??= { n: 0, sum: 0 };
      tally.n++;
      tally.sum += known.value ?? 0;
      delete ledger.live[slot.slot];
    }
  }
}

/**
 * Upper confidence bound of each blueprint's value: the mean of what its seeds were worth and one prior seed, plus
 * exploration · √(ln(1 + all seeds) / (1 + its seeds)) (UCB1: Auer et al. 2002). The prior falls linearly along the
 * order, from `priorAdvantage` to 0.
 */
export function upperBounds(
  ledger: Ledger,
  blueprints: readonly string[],
  config: HeuristicConfig,
): number[] {
  const tallies = blueprints.map((blueprint) => {
    const values = Object.values(ledger.live).filter((seed) =>
      seed.blueprint === blueprint && seed.value !== null
    );
    const settled = ledger.settled[blueprint] ?? { n: 0, sum: 0 };
    return {
      n: settled.n + values.length,
      sum: settled.sum + values.reduce((sum, seed) => sum + seed.value!, 0),
    };
  });
  const all = tallies.reduce((n, tally) => n + tally.n, 0);
  return tallies.map(({ n, sum }, rank) => {
    const prior = config.priorAdvantage * (1 - rank / blueprints.length);
    return (prior + sum) / (1 + n) + config.exploration * Math.sqrt(Math.log(1 + all) / (1 + n));
  });
}

/** What a seed costs, in nats: shares of the host's parameters and FLOPs at their rates. */
function rentOf(slot: SlotObservation, { host }: Observation, { rent }: HeuristicConfig): number {
  return rent.params * slot.params / host.params + rent.flops * slot.flops / host.flops;
}

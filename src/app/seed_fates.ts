import type { Edge } from "../contracts/lifecycle.ts";
import type { SeedFate } from "./options.ts";

/** What became of each seed, from the edges of a run in order. `params` tells a blueprint's size in a slot. */
export function seedFates(
  edges: readonly Edge[],
  params: (blueprint: string, slot: string) => number,
): SeedFate[] {
  const fates = new Map<string, SeedFate>();
  for (const { seed, slot, blueprint, tick, to, reason, evidence } of edges) {
    const fate = fates.get(seed);
    if (!fate && (to !== "GERMINATED" || blueprint === null)) continue;
    // What follows a prune is the slot's rest, not the seed's life.
    if (fate?.stage === "PRUNED") continue;
    const advantage = [evidence.advantage, evidence.removalCost].find((value) => typeof value === "number");
    fates.set(seed, {
      seed,
      slot,
      blueprint: fate?.blueprint ?? blueprint!,
      born: fate?.born ?? tick,
      tick,
      stage: to,
      reason,
      params: fate?.params ?? params(blueprint!, slot),
      advantage: (advantage as number | undefined) ?? fate?.advantage ?? null,
    });
  }
  return [...fates.values()];
}

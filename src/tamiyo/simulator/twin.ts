import type { TwinCurve } from "../reward/twin_curve.ts";
import type { Effects } from "./effects.ts";
import { budgetOf, type Terms, tickFlops } from "./terms.ts";
import { lossOf, NEWBORN, trainTick } from "./world.ts";

/** The run that never grows. */
export function simulateTwin(terms: Terms, effects: Effects): TwinCurve {
  const price = tickFlops(terms, {}), budget = budgetOf(terms);
  const flops: number[] = [], losses: number[] = [];
  const loss = () => lossOf(terms, effects, world, {}, () => 0);
  let world = NEWBORN;
  while (world.spent + price < budget) {
    world = trainTick(terms, world, {}, () => false);
    flops.push(world.spent);
    losses.push(loss());
  }
  world = trainTick(terms, world, {}, () => false);
  return { version: 1, flops, losses, final: loss() };
}

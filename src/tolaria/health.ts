import type { HealthQuantity } from "../contracts/health.ts";
import { flopsOf } from "../engine/compile/schedule.ts";
import type { Tensor } from "../engine/graph/tensor.ts";
import type { Scope } from "../engine/nn/scope.ts";
import { maximum, mul, neg, relu, square, sub } from "../engine/ops/elementwise.ts";
import { max } from "../engine/ops/max.ts";
import { mean } from "../engine/ops/reduce.ts";
import { concat, reshape } from "../engine/ops/shape.ts";
import type { Step } from "./assembly.ts";
import { type GrowableModel, incubates, seedsWith, type Topology } from "./growable.ts";

/** What is measured of h and of δ at a slot, in the order of a row. */
export const OF_H = ["hMean", "hVariance", "hDead"] as const satisfies readonly HealthQuantity[];
export const OF_DELTA = [
  "deltaMean",
  "deltaVariance",
  "deltaDead",
] as const satisfies readonly HealthQuantity[];

/** The numbers that one pass finds, and what the pass costs without the seeds that incubate. */
export interface HealthTrace {
  readonly row: Tensor;
  readonly settledFlops: number;
}

/** A pass over one batch that looks at every slot. */
export interface HealthStep extends Step {
  readonly topology: Topology;
  readonly settledFlops: number;
}

/** Makes any number but 0 a large one. */
const HUGE = 1e30;

/** Mean, variance and share of dead channels: those that are 0 at every position of every example. */
function describe(x: Tensor): Tensor[] {
  const average = mean(x);
  const largest = max(maximum(x, neg(x)), x.shape.slice(1).map((_, d) => d));
  return [average, mean(square(sub(x, average))), mean(relu(sub(1, mul(HUGE, largest))))];
}

/**
 * The statistics of every slot's activation and of every seed's δ = γ⊙f(h), seeds that incubate looked at from outside:
 * nothing of them reaches the network. Null where there are no slots.
 */
export function traceHealth(
  model: GrowableModel,
  scope: Scope,
  x: Tensor,
  topology: Topology,
): HealthTrace | null {
  if (model.slots.length === 0) return null;
  const settled = seedsWith(topology, (mode) => !incubates(mode));
  const { taps, seeds } = model.trace(scope, x, settled);
  const known = [
    ...model.slots.map((slot) => taps.get(slot)!),
    ...Object.keys(settled).map((slot) => seeds.get(slot)!.delta),
  ].flatMap(describe);
  const incubating = Object.entries(seedsWith(topology, incubates)).flatMap(([slot, seed]) => {
    const trial = model.trace(scope, x, { ...settled, [slot]: { ...seed, mode: "blend" } });
    return describe(trial.seeds.get(slot)!.delta);
  });
  const join = (numbers: readonly Tensor[]) => concat(numbers.map((number) => reshape(number, [1])), 0);
  return { row: join([...known, ...incubating]), settledFlops: flopsOf([join(known)]) };
}

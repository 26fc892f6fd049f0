/** How a slot fares, in numbers: what is measured once a tick, and how it moves. */

import { z } from "zod";
import { LoggedNumber } from "./logged_number.ts";
import type * as types from "./types/health.ts";

/**
 * What the device tells of a slot at a tick: of h, the activation at the slot, and of δ = γ⊙f(h), what a seed would add to
 * it at full strength, over one control batch; and L2 norms of gradients.
 */
export const HEALTH = [
  "hMean",
  "hVariance",
  "hDead", // share of channels that are 0 throughout the batch
  "deltaMean",
  "deltaVariance",
  "deltaDead",
  "gradNorm", // of the seed's parameters
  "hostGradNorm", // of the parameters that feed the slot
] as const;
export type HealthQuantity = typeof HEALTH[number];

/**
 * What the clock on the wall tells of a slot that holds a seed: milliseconds of a training step, and the microseconds of
 * it that are the seed's. Two runs of one seed differ in these and in nothing else, so no decision may rest on them.
 */
export const TIMES = ["stepP50", "stepP95", "micros"] as const;
export type TimeQuantity = typeof TIMES[number];

/** A number as the last tick found it, and its slope per tick over the last ticks. Null: not known. */
const Statistic = z.strictObject({ value: LoggedNumber.nullable(), slope: LoggedNumber.nullable() });
export type Statistic = types.Statistic;

const statistics = <Q extends string>(quantities: readonly Q[]) => z.record(z.enum(quantities), Statistic);

export const SlotHealth = statistics(HEALTH) satisfies z.ZodType<types.SlotHealth>;
export type SlotHealth = types.SlotHealth;
export const SlotTimes = statistics(TIMES) satisfies z.ZodType<types.SlotTimes>;
export type SlotTimes = types.SlotTimes;

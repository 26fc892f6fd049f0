/** How a host learns and what seeds change about it: a parametric model of learning curves. All losses in nats. */
import { z } from "zod";

const nats = z.number();
const positive = z.number().positive();

/** The host alone. `learned` is the integral of the learning rate (1 at its peak) over the share of the budget spent on steps. */
export const HostCurve = z.strictObject({
  floor: nats.describe("Loss that the host comes down to if it may learn for ever."),
  gap: positive.describe("Loss above that at birth."),
  scale: positive.describe("What the host has learned when its progress begins to slow down."),
  power: positive.describe("Exponent of the power law."),
  ripple: nats.min(0).describe("Loss that a learning rate at its peak adds, and that annealing takes away."),
});
export type HostCurve = z.infer<typeof HostCurve>;

/** A blueprint in a slot. Its skill is the same integral since its birth. */
export const SeedEffect = z.strictObject({
  gain: nats.describe("What a seed that has learned all it can takes off the loss; below 0 it adds to it."),
  pace: positive.describe("Skill at which it has reached 63 % of that."),
  wear: nats.min(0).describe("Loss that it adds per unit of skill: what it does to the rest as it grows."),
});
export type SeedEffect = z.infer<typeof SeedEffect>;

const Noise = z.strictObject({
  loss: nats.min(0).describe("Standard error of a control loss."),
  paired: nats.min(0).describe("Standard error of a difference of control losses, at 0 ..."),
  share: z.number().min(0).describe("... and what it rises by, as a share of the difference."),
});

/** What a slot shows without a seed, at a typical tick. */
const Signals = z.strictObject({
  hMean: z.number(),
  hVariance: positive,
  hDead: z.number().min(0).max(1),
  hostGradNorm: positive,
  gradRatio: positive.describe("Gradient norm of a seed, as a multiple of the host's at the slot."),
});
export type Signals = z.infer<typeof Signals>;

/** All that a simulated task has beside its run configuration. */
export const Effects = z.strictObject({
  curve: HostCurve,
  room: positive.describe("What all seeds together can take off the loss at most."),
  seeds: z.record(z.string(), z.record(z.string(), SeedEffect)).describe("By slot, then by blueprint."),
  signals: z.record(z.string(), Signals).describe("By slot."),
  noise: Noise,
});
export type Effects = z.infer<typeof Effects>;

/**
 * Loss of the host alone: floor + gap · (1 + learned/scale)^−power + ripple · rate. A power law with an annealing term
 * (Tissue et al. 2024); `rate` is the learning rate as a share of its peak.
 */
export function hostLoss({ floor, gap, scale, power, ripple }: HostCurve, learned: number, rate: number) {
  return floor + gap * (1 + learned / scale) ** -power + ripple * rate;
}

/** What a seed takes off the loss by itself: gain · (1 − e^(−skill/pace)) − wear · skill. */
export function gainOf({ gain, pace, wear }: SeedEffect, skill: number): number {
  return gain * -Math.expm1(-skill / pace) - wear * skill;
}

/** The most that `gainOf` reaches between two skills. */
export function bestGain(effect: SeedEffect, from: number, to: number): number {
  const { gain, pace, wear } = effect;
  const peak = gain > 0 && wear > 0 ? -pace * Math.log(wear * pace / gain) : gain > 0 ? to : from;
  return gainOf(effect, Math.min(to, Math.max(from, peak)));
}

/** What seeds take off the loss together: each adds less than the last, room · (1 − e^(−sum/room)); harm adds up. */
export function jointGain(sum: number, room: number): number {
  return sum > 0 ? room * -Math.expm1(-sum / room) : sum;
}

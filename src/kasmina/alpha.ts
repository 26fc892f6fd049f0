const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

const LOW = logistic(-6), HIGH = logistic(6);

/** Rising curves from (0, 0) to (1, 1). `guarded` moves as `linear` does, on the ticks on which it may move. */
const curves = {
  linear: (t: number) => t,
  cosine: (t: number) => (1 - Math.cos(Math.PI * t)) / 2,
  sigmoid: (t: number) => (logistic(12 * t - 6) - LOW) / (HIGH - LOW),
  guarded: (t: number) => t,
};

/** Name of an α schedule. */
export type AlphaSchedule = keyof typeof curves;

/** A ramp of α: up from 0 to 1, or down from `from` to 0. */
export interface Ramp {
  readonly schedule: AlphaSchedule;
  readonly direction: "in" | "out";
  /** α at the start of a ramp out. */
  readonly from: number;
  /** Length in ticks. */
  readonly ticks: number;
}

/**
 * α after `elapsed` ticks (fractions allowed) of a ramp: monotone in `elapsed`, within [0, 1], exactly 0 or 1 at the ends.
 *
 * @example
 * ```ts
 * import { rampAlpha } from "./alpha.ts";
 * const alpha = rampAlpha({ schedule: "linear", direction: "in", from: 0, ticks: 4 }, 1);
 * if (alpha !== 0.25) throw new Error(`want 0.25, got ${alpha}`);
 * ```
 */
export function rampAlpha(ramp: Ramp, elapsed: number): number {
  const t = elapsed / ramp.ticks;
  const progress = t <= 0 ? 0 : t >= 1 ? 1 : Math.min(1, Math.max(0, curves[ramp.schedule](t)));
  return ramp.direction === "in" ? progress : ramp.from * (1 - progress);
}

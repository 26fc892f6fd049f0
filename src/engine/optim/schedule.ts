export interface ScheduleOptions {
  readonly peak: number;
  /** Share of the budget over which the rate rises linearly to the peak. */
  readonly warmup: number;
  /** Rate at the end, as a share of the peak. */
  readonly final: number;
}

/**
 * Linear warm-up, then a cosine from the peak to its `final` share, as a function of FLOPs spent over FLOPs budgeted
 * (`progress`, 0 to 1): the same clock for networks of any size.
 */
export function learningRate(progress: number, { peak, warmup, final }: ScheduleOptions): number {
  if (progress < warmup) return peak * Math.max(progress / warmup, 1e-3);
  const t = progress >= 1 ? 1 : (progress - warmup) / (1 - warmup);
  return peak * (final + (1 - final) * 0.5 * (1 + Math.cos(Math.PI * t)));
}

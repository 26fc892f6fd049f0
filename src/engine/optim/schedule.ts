/** Rise and fall of a learning rate. */
export interface ScheduleOptions {
  /** Highest rate. */
  readonly peak: number;
  /** How the rate falls from the peak. Default: a cosine. */
  readonly shape?: "cosine" | "linear" | undefined;
  /** Rate at the beginning, as a share of the peak; a thousandth of it at least. Default 0. */
  readonly initial?: number | undefined;
  /** Share of the budget over which the rate rises linearly to the peak. */
  readonly warmup: number;
  /** Rate at the end, as a share of the peak. */
  readonly final: number;
}

/** From 1 to 0 as t goes from 0 to 1. */
const FALLS = { cosine: (t: number) => 0.5 * (1 + Math.cos(Math.PI * t)), linear: (t: number) => 1 - t };

/**
 * Linear warm-up, then a cosine or a line from the peak to its `final` share, as a function of FLOPs spent over FLOPs budgeted
 * (`progress`, 0 to 1): the same clock for networks of any size.
 */
export function learningRate(progress: number, options: ScheduleOptions): number {
  const { peak, warmup, final, initial = 0, shape = "cosine" } = options;
  if (progress < warmup) return peak * Math.max(initial + (1 - initial) * progress / warmup, 1e-3);
  const t = progress >= 1 ? 1 : (progress - warmup) / (1 - warmup);
  return peak * (final + (1 - final) * FALLS[shape](t));
}

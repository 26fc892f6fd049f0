import type { Statistic } from "../contracts/health.ts";

/** Ticks that a trend looks back on, and how many of them must be known. */
export const TREND_TICKS = 8;
const LEAST_KNOWN = 3;

/** A column of numbers that are measured anew at each tick, with those of the last ticks. */
export interface TrendColumn {
  /** What the last tick found; null where that is not known. */
  get(row: number): number | null;
  /** Takes in what a tick found. */
  note(row: number, value: number | null): void;
  /** Slope per tick of the straight line that fits the last ticks best; null where too few are known or one is not finite. */
  slope(row: number): number | null;
  /** What the last ticks found, oldest first. */
  recent(row: number): readonly (number | null)[];
  /** Replaces what is known of a row. */
  restore(row: number, recent: readonly (number | null)[]): void;
}

/**
 * Slope of the least-squares line through equally spaced values, unknown ones left out.
 *
 * @example
 * ```ts
 * import { slopeOf } from "./trend.ts";
 * if (slopeOf([1, null, 2, 2.5]) !== 0.5) throw new Error();
 * ```
 */
export function slopeOf(values: readonly (number | null)[]): number | null {
  const points = values.flatMap((y, x) => y === null ? [] : [{ x, y }]);
  if (points.length < LEAST_KNOWN || points.some(({ y }) => !Number.isFinite(y))) return null;
  const mean = (of: (point: { x: number; y: number }) => number) =>
    points.reduce((total, point) => total + of(point), 0) / points.length;
  const mx = mean(({ x }) => x), my = mean(({ y }) => y);
  return mean(({ x, y }) => (x - mx) * (y - my)) / mean(({ x }) => (x - mx) ** 2);
}

/** A slope and its standard error. */
export interface Trend {
  readonly slope: number;
  readonly se: number;
}

/**
 * The least-squares line through means that were measured at equally spaced times, each with a standard error; unknown ones
 * are left out. The slope's error is that of means which share one variance: the errors' own, pooled, or that about the
 * line, whichever is larger, so that neither one lucky mean nor one error that came out small decides. Null where none is
 * known or one is not finite; one alone has a slope that may be anything.
 */
export function trendOf(means: readonly (number | null)[], errors: readonly (number | null)[]): Trend | null {
  const points = means.flatMap((y, x) => {
    const se = errors[x];
    return y === null || se === null ? [] : [{ x, y, se }];
  });
  if (points.length === 0 || points.some(({ y, se }) => !Number.isFinite(y) || !Number.isFinite(se))) {
    return null;
  }
  if (points.length === 1) return { slope: 0, se: Infinity };
  const sum = (of: (point: { x: number; y: number; se: number }) => number) =>
    points.reduce((total, point) => total + of(point), 0);
  const n = points.length, mx = sum(({ x }) => x) / n, my = sum(({ y }) => y) / n;
  const spread = sum(({ x }) => (x - mx) ** 2);
  const slope = sum(({ x, y }) => (x - mx) * (y - my)) / spread;
  const pooled = sum(({ se }) => se ** 2) / n;
  const about = n > 2 ? sum(({ x, y }) => (y - my - slope * (x - mx)) ** 2) / (n - 2) : 0;
  return { slope, se: Math.sqrt(Math.max(pooled, about) / spread) };
}

export function trendColumn(size: number): TrendColumn {
  const rows: (readonly (number | null)[])[] = Array.from({ length: size }, () => []);
  const slopes: (number | null)[] = rows.map(() => null);
  const restore = (row: number, recent: readonly (number | null)[]) => {
    rows[row] = recent.slice(-TREND_TICKS);
    slopes[row] = slopeOf(rows[row]);
  };
  return {
    get: (row) => rows[row].at(-1) ?? null,
    note: (row, value) => restore(row, [...rows[row], value]),
    slope: (row) => slopes[row],
    recent: (row) => rows[row],
    restore,
  };
}

/** A row of several columns as others see it. */
export function statisticsOf<Q extends string>(
  columns: Readonly<Record<Q, TrendColumn>>,
  quantities: readonly Q[],
  row: number,
): Record<Q, Statistic> {
  return Object.fromEntries(
    quantities.map((key) => [key, { value: columns[key].get(row), slope: columns[key].slope(row) }]),
  ) as Record<Q, Statistic>;
}

import { z } from "zod";
import { UserError } from "../../util/errors.ts";

/** A number that describes a subject. Null, NaN and infinity: not known. */
export interface Quantity<S> {
  readonly name: string;
  readonly of: (subject: S) => number | null;
  /** Whether it may be unknown, which a flag beside it then says. */
  readonly measured: boolean;
}

/** What describes one kind of subject: quantities, which are normalised, and flags, which are 0 or 1. */
export interface FeatureTable<S> {
  readonly name: string;
  readonly quantities: readonly Quantity<S>[];
  /** Writes numbers that are as they should be, `flagCount` of them from `at` on, where there are zeros. */
  readonly flags: (subject: S, rows: Float32Array, at: number) => void;
  readonly flagCount: number;
}

export const known = <S>(name: string, of: (subject: S) => number): Quantity<S> => ({
  name,
  of,
  measured: false,
});
export const measured = <S>(name: string, of: (subject: S) => number | null): Quantity<S> => ({
  name,
  of,
  measured: true,
});

/** Writes a 1 at the place of `value` among all, the first of which is at `at`; nothing where it has none. */
export function oneHot<T>(values: readonly T[], value: T, rows: Float32Array, at: number): void {
  const place = values.indexOf(value);
  if (place >= 0) rows[at + place] = 1;
}

/** Columns of a row. */
export function widthOf<S>({ quantities, flagCount }: FeatureTable<S>): number {
  return quantities.length + quantities.filter((quantity) => quantity.measured).length + flagCount;
}

const Moments = z.strictObject({
  count: z.number().min(0),
  mean: z.number(),
  /** Sum of squared distances from the mean. */
  squares: z.number().min(0),
});
type Moments = z.infer<typeof Moments>;

/** Moments by quantity. */
const Saved = z.record(z.string(), Moments);
export type SavedMoments = z.infer<typeof Saved>;

/** Normalised numbers are at most this. */
const CLIP = 5;
/** Least standard deviation: what never varied in training is not blown up where it does. */
const LEAST_DEVIATION = 1e-3;

/** The running moments of a table's quantities, by which its rows are normalised. */
export class Normaliser<S> {
  readonly table: FeatureTable<S>;
  readonly #moments: Moments[];

  constructor(table: FeatureTable<S>) {
    this.table = table;
    this.#moments = table.quantities.map(() => ({ count: 0, mean: 0, squares: 0 }));
  }

  /** Takes a subject into the moments (Welford 1962). */
  adapt(subject: S): void {
    for (const [k, quantity] of this.table.quantities.entries()) {
      const value = valueOf(quantity, subject), moments = this.#moments[k];
      if (value === null) continue;
      moments.count++;
      const distance = value - moments.mean;
      moments.mean += distance / moments.count;
      moments.squares += distance * (value - moments.mean);
    }
  }

  /**
   * Writes the row of a subject: quantities less their mean, over their deviation, at most ±5, 0 where unknown; for each
   * that may be unknown whether it is known; the flags.
   *
   * @param rows Zeros from `begin` on.
   */
  write(subject: S, rows: Float32Array, begin = 0): void {
    const { quantities, flags } = this.table;
    let flag = begin + quantities.length;
    for (let k = 0; k < quantities.length; k++) {
      const { of, measured } = quantities[k], value = of(subject);
      const isKnown = value !== null && Number.isFinite(value);
      if (isKnown) rows[begin + k] = this.#normalise(value, this.#moments[k]);
      if (measured) rows[flag++] = Number(isKnown);
    }
    flags(subject, rows, flag);
  }

  #normalise(value: number, { count, mean, squares }: Moments): number {
    const deviation = count < 2 ? 1 : Math.max(LEAST_DEVIATION, Math.sqrt(squares / count));
    return Math.min(CLIP, Math.max(-CLIP, (value - mean) / deviation));
  }

  save(): SavedMoments {
    return Object.fromEntries(this.table.quantities.map(({ name }, k) => [name, { ...this.#moments[k] }]));
  }

  /** @throws {UserError} where the moments are of other quantities. */
  restore(saved: unknown): void {
    const parsed = Saved.safeParse(saved);
    const { quantities, name: table } = this.table;
    const missing = parsed.success
      ? quantities.find(({ name }) => !Object.hasOwn(parsed.data, name))?.name
      : parsed.error.issues[0].path.join(".") || "all";
    if (!parsed.success || missing !== undefined) {
      throw new UserError(
        `policy: want the moments of the ${table} features, got none that fit (${missing}); train it again`,
      );
    }
    for (const [k, { name }] of quantities.entries()) this.#moments[k] = parsed.data[name];
  }
}

function valueOf<S>({ of }: Quantity<S>, subject: S): number | null {
  const value = of(subject);
  return value !== null && Number.isFinite(value) ? value : null;
}

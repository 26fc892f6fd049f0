/** How far numbers are from what was wanted. */
import type { Values } from "../engine/graph/op.ts";
import { BlueprintError } from "./build.ts";
import type { Deviation } from "./report.ts";

/** A gradient that cancels to nothing is compared at this share of the largest gradient: below lies only rounding. */
export const LEAST_SCALE = 1e-3;

/**
 * How far results are from what was wanted, by name.
 *
 * @throws {BlueprintError} naming the first that is too far off.
 */
export function deviations(
  names: readonly string[],
  got: readonly Values[],
  want: readonly Values[],
  tolerance: number,
  origin: string,
): Record<string, Deviation> {
  const scales = want.map(magnitude);
  const least = LEAST_SCALE * Math.max(...scales);
  return Object.fromEntries(names.map((name, k) => {
    const scale = Math.max(scales[k], least);
    const { absolute, at } = differenceOf(got[k], want[k]);
    if (!(absolute <= tolerance * scale)) {
      throw new BlueprintError(
        `want ${name} equal to ${origin} within ${tolerance} of ${scale}, ` +
          `got ${got[k][at]} for ${want[k][at]} at element ${at}`,
      );
    }
    return [name, { absolute, relative: scale > 0 ? absolute / scale : 0 }];
  }));
}

/**
 * How far results are from what was wanted as a whole, the worst of all: ‖got − want‖ / ‖want‖, where what is wanted is
 * finite.
 *
 * @throws {BlueprintError} naming the first that is too far off.
 */
export function driftOf(
  names: readonly string[],
  got: readonly Values[],
  want: readonly Values[],
  tolerance: number,
  origin: string,
): number {
  const least = LEAST_SCALE * Math.max(...want.map(magnitude));
  const drifts = names.map((name, k) => {
    if (!want[k].every(Number.isFinite)) return 0;
    let off = 0, size = 0;
    for (let i = 0; i < want[k].length; i++) {
      off += (got[k][i] - want[k][i]) ** 2;
      size += want[k][i] ** 2;
    }
    const drift = Math.sqrt(off / Math.max(size, want[k].length * least ** 2)) || 0;
    if (drift <= tolerance && Number.isFinite(off)) return drift;
    throw new BlueprintError(
      `want ${name} equal to ${origin} as a whole within ${tolerance} of its norm, got ${drift}`,
    );
  });
  return Math.max(...drifts);
}

/** Largest finite magnitude. */
export function magnitude(values: Values): number {
  let most = 0;
  for (const value of values) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
  return most;
}

/** Largest difference of two arrays and where it is: infinite where NaNs or infinities stand in other places. */
export function differenceOf(got: Values, want: Values): { absolute: number; at: number } {
  let absolute = 0, at = 0;
  for (let i = 0; i < want.length; i++) {
    if (Object.is(got[i], want[i])) continue;
    const difference = Math.abs(got[i] - want[i]);
    if (difference <= absolute) continue;
    at = i;
    if (Number.isNaN(difference)) return { absolute: Infinity, at };
    absolute = difference;
  }
  return { absolute, at };
}

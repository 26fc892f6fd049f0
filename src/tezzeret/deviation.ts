/** How far numbers are from what was wanted. */
import type { Values } from "../engine/graph/op.ts";
import { BlueprintError } from "./build.ts";
import type { Deviation } from "./report.ts";

/** A gradient that cancels to nothing is compared at this share of the largest gradient: below lies only rounding. */
const LEAST_SCALE = 1e-3;

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

/** Which kernel is how far off: results within a trial, each compared with what it ought to be. */
import type { Values } from "../engine/graph/op.ts";
import { reachable } from "../engine/graph/trace.ts";
import type { Plan } from "./pipelines.ts";
import type { Deviation, KernelError } from "./report.ts";
import type { Rig } from "./rig.ts";
import { differenceOf, magnitude } from "./deviation.ts";

/** Numbers of one result that are compared. */
export const MOST_NUMBERS = 65_536;

/** A kernel's name, and how far off one of its results is; null where that is not all numbers. */
interface Found {
  readonly kernel: number;
  readonly deviation: Deviation | null;
}

/** The deviations of each result, for every kernel that has a part in it, in order of execution. */
function found({ program }: Rig, { order }: Plan, got: readonly Values[], want: readonly Values[]): Found[] {
  let from = 0;
  return program.results.flatMap(({ after }, k) => {
    const deviation = deviationOf(got[k], want[k].subarray(0, got[k].length));
    const kernels = new Set(order.slice(from, after));
    from = after;
    return [...kernels].map((kernel) => ({ kernel, deviation }));
  });
}

function deviationOf(got: Values, want: Values): Deviation | null {
  if (!want.every(Number.isFinite)) return null;
  const { absolute } = differenceOf(got, want);
  const scale = magnitude(want);
  return Number.isFinite(absolute) ? { absolute, relative: absolute / (scale || 1) } : null;
}

/** The worst of each kernel, in order of their first dispatch. */
export function worstOfKernels(
  rig: Rig,
  plan: Plan,
  got: readonly Values[],
  want: readonly Values[],
  against: KernelError["against"],
): KernelError[] {
  const all = found(rig, plan, got, want);
  return plan.kernels.flatMap(({ sha256 }, at) => {
    const own = all.flatMap(({ kernel, deviation }) => kernel === at && deviation ? [deviation] : []);
    if (own.length === 0) return [];
    const { absolute, relative } = own.reduce((worst, one) => one.relative > worst.relative ? one : worst);
    return [{ sha256, absolute, relative, against }];
  });
}

/** Name of the first kernel whose result is not what it ought to be; null where each is, by itself. */
export function firstOff(
  rig: Rig,
  plan: Plan,
  got: readonly Values[],
  want: readonly Values[],
  tolerance: number,
): string | null {
  const first = found(rig, plan, got, want).find(({ deviation }) =>
    deviation && deviation.relative > tolerance
  );
  return first ? plan.kernels[first.kernel].name : null;
}

/** Places of a rig's results among all tensors of its trial, which are the same for both pipelines. */
export function placesOf({ trial, program }: Rig): number[] {
  const place = new Map(reachable(Object.values(trial.outputs)).map((tensor, k) => [tensor, k]));
  return program.results.map(({ tensor }) => place.get(tensor)!);
}

/**
 * Which kernel is how far off: every result within a trial, compared with what a reference makes of the same inputs.
 *
 * A ReLU or a maximum whose input lies within rounding of its kink lands on either side of it, and that makes a whole
 * gradient element differ. In f16 it happens to some of ten thousand, so that two sound pipelines differ at every batch. A
 * reference that is led, whose every op reads what the device has left in memory, stands on the same side of each kink: what
 * then differs is one kernel's own rounding, or its fault, which nothing that comes before or after can hide.
 */
import type { Values } from "../engine/graph/op.ts";
import type { Led } from "../engine/compile/reference.ts";
import { memoryOf, reachable } from "../engine/graph/trace.ts";
import { formatShape } from "../util/shape.ts";
import { BlueprintError } from "./build.ts";
import type { Plan } from "./pipelines.ts";
import type { KernelError } from "./report.ts";
import type { Rig } from "./rig.ts";
import { differenceOf, LEAST_SCALE, magnitude } from "./deviation.ts";

const ORIGINS: Readonly<Record<KernelError["against"], string>> = {
  float64: "the float64 reference",
  reference: "the reference pipeline at a batch",
};

/** A result within a trial: what left it there, and what may be said of its numbers. */
interface Found {
  /** Indices into the plan's kernels. */
  readonly kernels: readonly number[];
  /** Names of kernels, and the result's shape. */
  readonly what: string;
  readonly got: Values;
  readonly want: Values;
  readonly scale: number;
}

/** The results that their memory has numbers for, none of them infinite, in order of execution. */
function found({ program }: Rig, plan: Plan, got: readonly Values[], want: readonly Values[]): Found[] {
  const scales = want.map(magnitude), least = LEAST_SCALE * Math.max(...scales);
  let from = 0;
  return program.results.flatMap(({ after, tensor, place }, k) => {
    const kernels = [...new Set(plan.order.slice(from, after))];
    from = after;
    const round = place.stored === "f16" ? Math.f16round : Math.fround;
    if (!want[k].every((value) => Number.isFinite(round(value)))) return [];
    const what = `${formatShape(tensor.shape)} of ${
      kernels.map((at) => plan.kernels[at].name).join(" and ")
    }`;
    return [{ kernels, what, got: got[k], want: want[k], scale: Math.max(scales[k], least) }];
  });
}

/**
 * The worst error of each kernel, in order of their first dispatch.
 *
 * @param want What the reference makes of the inputs that the kernels had.
 * @throws {BlueprintError} naming the first kernel that is too far off.
 */
export function worstOfKernels(
  rig: Rig,
  plan: Plan,
  got: readonly Values[],
  want: readonly Values[],
  { tolerance, against }: { tolerance: number; against: KernelError["against"] },
): KernelError[] {
  const worst = new Map<number, KernelError>();
  for (const { kernels, what, got: numbers, want: wanted, scale } of found(rig, plan, got, want)) {
    const { absolute, at } = differenceOf(numbers, wanted);
    if (!(absolute <= tolerance * scale)) {
      throw new BlueprintError(
        `want ${what} equal to ${ORIGINS[against]} on the same inputs within ${tolerance} of ${scale}, ` +
          `got ${numbers[at]} for ${wanted[at]} at element ${at}`,
      );
    }
    const relative = scale > 0 ? absolute / scale : 0;
    for (const kernel of kernels) {
      if (relative < (worst.get(kernel)?.relative ?? 0)) continue;
      worst.set(kernel, { sha256: plan.kernels[kernel].sha256, absolute, relative, against });
    }
  }
  return plan.kernels.flatMap((_, kernel) => worst.get(kernel) ?? []);
}

/** What a rig has left in memory, for a reference to go on from; but for what the trial is asked for. */
export function ledBy({ trial, program }: Rig, got: readonly Values[]): Led {
  const asked = new Set(Object.values(trial.outputs).map(memoryOf));
  return new Map(
    program.results.flatMap(({ tensor }, k) => asked.has(tensor) ? [] : [[tensor, got[k]] as const]),
  );
}

/** Places of a rig's results among all tensors of its trial, which are the same for both pipelines. */
export function placesOf({ trial, program }: Rig): number[] {
  const place = new Map(reachable(Object.values(trial.outputs)).map((tensor, k) => [tensor, k]));
  return program.results.map(({ tensor }) => place.get(tensor)!);
}

/** Files that say which variant of a kernel computes what: what was timed on an adapter, and what a run used. */
import { z } from "zod";

/** By operation with shapes and attributes (`kernelKey`), ids of variants. */
const Variants = z.record(z.string().min(1), z.string().min(1));

export const TUNED_VERSION = 1;

/** `configs/tuned/<adapter>.json`. */
export const TunedKernels = z.strictObject({
  version: z.literal(TUNED_VERSION),
  /** Where it was timed, as `adapterSlug` names it. */
  adapter: z.string().min(1),
  description: z.string(),
  /** Version of Esper that timed. */
  esper: z.string(),
  kernels: z.record(
    z.string().min(1),
    z.strictObject({
      variant: z.string().min(1),
      /** Time of each variant that fits. */
      microseconds: z.record(z.string().min(1), z.number().positive()),
    }),
  ),
});
export type TunedKernels = z.infer<typeof TunedKernels>;

/** `kernels.json` of a run folder. */
export const UsedKernels = z.strictObject({ version: z.literal(TUNED_VERSION), kernels: Variants });
export type UsedKernels = z.infer<typeof UsedKernels>;

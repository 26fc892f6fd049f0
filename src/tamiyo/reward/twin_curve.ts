import { z } from "zod";

/** How a run of the same seed and data order went that never grew: what a run is measured against. Losses in nats. */
export const TwinCurve = z.strictObject({
  version: z.literal(1),
  /** At each tick: FLOPs spent so far, rising, and the control loss. */
  flops: z.array(z.number().min(0)),
  losses: z.array(z.number()),
  /** Validation loss at the end. */
  final: z.number(),
}).refine(({ flops, losses }) => flops.length === losses.length, "want as many losses as FLOPs");
export type TwinCurve = z.infer<typeof TwinCurve>;

/** The twin's control loss when it had spent that much: linear between its ticks, constant beyond them. */
export function twinLossAt({ flops, losses, final }: TwinCurve, spent: number): number {
  if (flops.length === 0) return final;
  const after = flops.findIndex((value) => value >= spent);
  if (after < 0) return losses[losses.length - 1];
  if (after === 0) return losses[0];
  const share = (spent - flops[after - 1]) / (flops[after] - flops[after - 1]);
  return losses[after - 1] + share * (losses[after] - losses[after - 1]);
}

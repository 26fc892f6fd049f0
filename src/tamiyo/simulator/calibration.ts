import { z } from "zod";
import { Effects } from "./effects.ts";

const count = z.int().min(0);

/** What was learned from logged runs, and from which. */
export const Calibration = z.strictObject({
  effects: Effects,
  data: z.strictObject({
    sha256: z.string().regex(/^[0-9a-f]{64}$/, "want 64 hexadecimal digits").describe(
      "Of the logs, sorted by name.",
    ),
    runs: count,
    ticks: count,
    seeds: count,
    dataset: z.string(),
    host: z.string(),
    budgetGflop: z.number().positive(),
  }),
  /** Root mean squares of what the fit leaves unexplained, in nats. */
  residual: z.strictObject({ loss: z.number().min(0), advantage: z.number().min(0) }),
});
export type Calibration = z.infer<typeof Calibration>;

import { z } from "zod";
import type { ControllerConfig } from "../contracts/control.ts";
import { UserError } from "../util/errors.ts";
import { Ledger } from "./ledger.ts";

type Kind = ControllerConfig["kind"];

/** What a controller of each kind remembers. */
const states = {
  off: z.strictObject({ kind: z.literal("off") }),
  fixed: z.strictObject({ kind: z.literal("fixed"), settled: z.array(z.int().min(0)) }),
  random: z.strictObject({ kind: z.literal("random") }),
  heuristic: z.strictObject({ kind: z.literal("heuristic"), ledger: Ledger }),
  gnn: z.strictObject({ kind: z.literal("gnn"), policy: z.string() }),
} satisfies Record<Kind, z.ZodType>;

/** What a checkpoint holds for a controller, of whichever kind. */
export const ControllerState = z.discriminatedUnion("kind", [
  states.off,
  states.fixed,
  states.random,
  states.heuristic,
  states.gnn,
]);

/** Checks what a checkpoint holds for a controller of this kind. */
export function readState<K extends Kind>(kind: K, saved: unknown): z.output<typeof states[K]> {
  const result = states[kind].safeParse(saved);
  if (result.success) return result.data as z.output<typeof states[K]>;
  const got = z.object({ kind: z.string() }).safeParse(saved);
  const what = got.success && got.data.kind !== kind
    ? `that of "${got.data.kind}"; resume with the run's own configuration`
    : `another form (${result.error.issues[0].path.join(".") || "top"}: ${result.error.issues[0].message})`;
  throw new UserError(`restore: want the state of a "${kind}" controller, got ${what}`);
}

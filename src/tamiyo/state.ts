import { z } from "zod";
import type { ControllerConfig } from "../contracts/control.ts";
import { UserError } from "../util/errors.ts";

/** Checks what a checkpoint holds for a controller of this kind. */
export function readState<T extends z.ZodType>(
  kind: ControllerConfig["kind"],
  schema: T,
  saved: unknown,
): z.infer<T> {
  const result = schema.safeParse(saved);
  if (result.success) return result.data;
  const got = z.object({ kind: z.string() }).safeParse(saved);
  const what = got.success && got.data.kind !== kind
    ? `that of "${got.data.kind}"; resume with the run's own configuration`
    : `another form (${result.error.issues[0].path.join(".") || "top"}: ${result.error.issues[0].message})`;
  throw new UserError(`restore: want the state of a "${kind}" controller, got ${what}`);
}

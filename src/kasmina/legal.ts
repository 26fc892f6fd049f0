import type { Action } from "../contracts/control.ts";
import type { ActionContext } from "../contracts/growth.ts";
import type { Kasmina } from "./types.ts";

/** Every action that `check` allows now, WAIT first, then slot by slot. */
export function legalActions(
  kasmina: Kasmina,
  blueprints: readonly string[],
  context: ActionContext,
): Action[] {
  const candidates = kasmina.table.names.flatMap((slot): Action[] => [
    ...blueprints.map((blueprint): Action => ({ kind: "germinate", slot, blueprint })),
    { kind: "advance", slot },
    { kind: "prune", slot },
    { kind: "fossilize", slot },
  ]);
  return [{ kind: "wait" }, ...candidates.filter((action) => kasmina.check(action, context) === null)];
}

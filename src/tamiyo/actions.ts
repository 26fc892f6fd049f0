import type { Action, Decision } from "../contracts/control.ts";

/** The member of `legal` that equals the action, or null. */
export function findLegal(legal: readonly Action[], action: Action): Action | null {
  return legal.find((other) => sameAction(other, action)) ?? null;
}

export function wait(why: string, warnings: string[] = []): Decision {
  return { action: { kind: "wait" }, why, warnings };
}

/** Whether two actions ask for the same. */
export function sameAction(a: Action, b: Action): boolean {
  return a.kind === b.kind && slotOf(a) === slotOf(b) && blueprintOf(a) === blueprintOf(b);
}

const slotOf = (action: Action) => action.kind === "wait" ? "" : action.slot;
const blueprintOf = (action: Action) => action.kind === "germinate" ? action.blueprint : "";

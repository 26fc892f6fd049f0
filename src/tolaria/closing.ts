import type { Action } from "../contracts/control.ts";

type Closing = Extract<Action, { kind: "fossilize" | "prune" }>;

/** Before a run ends, seeds that may stay are made to stay, and the others are blended out while there is time. */
export function closingActions(
  legal: readonly Action[],
  ticksLeft: number,
  blendOutTicks: number,
): Closing[] {
  if (ticksLeft > blendOutTicks + 1) return [];
  const fossils = legal.filter((action) => action.kind === "fossilize");
  const prunes = legal.filter((action) => action.kind === "prune");
  const kept = new Set(fossils.map((action) => action.slot));
  return [...fossils, ...prunes.filter((action) => !kept.has(action.slot))];
}

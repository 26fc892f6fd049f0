import type { RunConfig } from "../../contracts/config.ts";
import type { Schedule } from "../../contracts/control.ts";
import type { CompletedArm } from "../../contracts/proof.ts";

/** A schedule tries an entry for as many ticks after its own; the next entry for the same takes over then. */
const PATIENCE_TICKS = 6;

/** The entry now and, as its gate may open later, some times more. */
function insisted<T extends object>(entry: T, from: number, times: number): (T & { tick: number })[] {
  return Array.from({ length: times }, (_, k) => ({ tick: from + k * PATIENCE_TICKS, ...entry }));
}

/**
 * One seed of the first blueprint a slot, the last slot first, evenly over the first half of a run of `ticks`; each is
 * blended in and kept as soon as the gates let it.
 */
export function fixedSchedule(task: RunConfig, slots: readonly string[], ticks: number): Schedule {
  const { gates, alpha, blueprints } = task.growth;
  const every = ticks / (2 * Math.max(4, slots.length));
  return slots.toReversed().flatMap((slot, k): Schedule => {
    const tick = Math.max(1 + k, Math.round(every * (k + 1)));
    const blend = tick + 1 + gates.trainingTicks, keep = blend + alpha.ticks + gates.holdingTicks;
    return [
      { tick, action: "germinate", slot, blueprint: blueprints[0] },
      ...insisted({ action: "advance" as const, slot }, blend, 2),
      ...insisted({ action: "fossilize" as const, slot }, keep, 4),
    ];
  });
}

/** What a run decided, as a schedule. */
export function repeated({ decisions }: CompletedArm): Schedule {
  return decisions.map(({ tick, action, slot, blueprint }) =>
    action === "germinate" ? { tick, action, slot, blueprint: blueprint! } : { tick, action, slot }
  );
}

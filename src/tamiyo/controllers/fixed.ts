import type {
  Action,
  Controller,
  ControllerConfig,
  Observation,
  Schedule,
  ScheduleEntry,
} from "../../contracts/control.ts";
import { usageError } from "../../util/errors.ts";
import { suggestion } from "../../util/nearest.ts";
import { findLegal, wait } from "../actions.ts";
import { readState } from "../state.ts";

/** Ticks after its own for which an entry that is not legal is tried again. */
const PATIENCE_TICKS = 5;

/**
 * Follows a schedule: at each tick the earliest entry that is due and legal, one a tick. An entry that is not legal at
 * its tick is tried at the next five, then given up with a warning.
 */
export function createFixed(config: Extract<ControllerConfig, { kind: "fixed" }>): Controller {
  const schedule = loaded(config.schedule);
  const order = schedule.map((_, i) => i).sort((a, b) => schedule[a].tick - schedule[b].tick || a - b);
  let settled = new Set<number>();

  return {
    kind: "fixed",
    decide(observation) {
      checkSlots(schedule, observation);
      const { tick, legal } = observation;
      const due = order.filter((i) => !settled.has(i) && schedule[i].tick <= tick);
      const late = due.filter((i) => tick > schedule[i].tick + PATIENCE_TICKS);
      for (const i of late) settled.add(i);
      const warnings = late.map((i) =>
        `gave up on ${describe(schedule[i])}: not legal for ${PATIENCE_TICKS} ticks`
      );

      const open = due.filter((i) => !settled.has(i));
      for (const i of open) {
        const action = findLegal(legal, actionOf(schedule[i]));
        if (action === null) continue;
        settled.add(i);
        return { action, why: `schedule: ${describe(schedule[i])}`, warnings };
      }
      const why = open.length === 0
        ? "nothing is scheduled"
        : `not legal yet: ${open.map((i) => describe(schedule[i])).join(", ")}`;
      return wait(why, warnings);
    },
    save: () => ({ kind: "fixed", settled: [...settled].sort((a, b) => a - b) }),
    restore: (saved) => void (settled = new Set(readState("fixed", saved).settled)),
  };
}

function loaded(schedule: string | Schedule): Schedule {
  if (typeof schedule !== "string") return schedule;
  throw new Error(
    `createController: want a schedule's entries, got the path "${schedule}"; load it with parseSchedule`,
  );
}

function checkSlots(schedule: Schedule, { slots }: Observation): void {
  const names = slots.map((slot) => slot.slot);
  for (const entry of schedule) {
    if (names.includes(entry.slot)) continue;
    throw usageError(
      `schedule: want a slot of this network at tick ${entry.tick}, got "${entry.slot}"${
        suggestion(entry.slot, names)
      }`,
    );
  }
}

function actionOf(entry: ScheduleEntry): Action {
  return entry.action === "germinate"
    ? { kind: "germinate", slot: entry.slot, blueprint: entry.blueprint }
    : { kind: entry.action, slot: entry.slot };
}

function describe(entry: ScheduleEntry): string {
  const what = entry.action === "germinate" ? `${entry.blueprint} in ${entry.slot}` : entry.slot;
  return `${entry.action} ${what} at tick ${entry.tick}`;
}

import { Schedule } from "../contracts/control.ts";
import { usageError } from "../util/errors.ts";

/**
 * A schedule from parsed JSON.
 *
 * @throws {UserError} naming `source`, the entry and what is wrong with it
 *
 * @example
 * ```ts
 * import { parseSchedule } from "./schedule.ts";
 * const json = [{ tick: 8, action: "germinate", slot: "stage1", blueprint: "conv3" }];
 * if (parseSchedule(json, "schedule.json").length !== 1) throw new Error();
 * ```
 */
export function parseSchedule(json: unknown, source: string): Schedule {
  const result = Schedule.safeParse(json);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0];
  const where = path.length === 0 ? "the list" : `entry ${path.join(".")}`;
  throw usageError(
    `schedule ${source}: want a list of { tick, action, slot, blueprint for germinate }, got trouble at ${where}: ${message}`,
  );
}

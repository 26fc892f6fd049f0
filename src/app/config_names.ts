/** Names in a configuration that no schema knows: blueprints, and slots of a schedule. */
import type { Blueprint } from "../contracts/blueprint.ts";
import type { RunConfig } from "../contracts/config.ts";
import type { ScheduleEntry } from "../contracts/control.ts";
import { library } from "../tezzeret/mod.ts";
import { usageError } from "../util/errors.ts";
import { suggestion } from "../util/nearest.ts";

/** A schedule that stands in the configuration; empty where it is yet to be read, or there is none. */
function scheduleOf({ controller }: RunConfig): readonly ScheduleEntry[] {
  return controller.kind === "fixed" && typeof controller.schedule !== "string" ? controller.schedule : [];
}

function checkName(path: string, what: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  throw usageError(`config: ${path}: want ${what}, got "${name}"${suggestion(name, known)}`);
}

/**
 * Checks that every blueprint that a configuration names exists, and that a schedule grows allowed ones only.
 * @throws {UserError} exit code 2; names the key and the nearest blueprint
 */
export function checkBlueprintNames(config: RunConfig, blueprints: readonly Blueprint[] = library): void {
  const { growth, controller } = config;
  const known = blueprints.map(({ name }) => name);
  growth.blueprints.forEach((name, i) => checkName(`growth.blueprints.${i}`, "a blueprint", name, known));
  growth.planted.forEach(({ blueprint }, i) =>
    checkName(`growth.planted.${i}.blueprint`, "a blueprint", blueprint, known)
  );
  const order = controller.kind === "heuristic" ? controller.order : [];
  order.forEach((name, i) => checkName(`controller.order.${i}`, "a blueprint", name, known));
  scheduleOf(config).forEach((entry, i) => {
    if (entry.action !== "germinate") return;
    const path = `controller.schedule.${i}.blueprint`;
    checkName(path, "one of growth.blueprints", entry.blueprint, growth.blueprints);
  });
}

/**
 * Checks that a schedule names slots that there are.
 * @throws {UserError} exit code 2; names the entry and the nearest slot
 */
export function checkSlotNames(config: RunConfig, slots: readonly string[]): void {
  scheduleOf(config).forEach(({ slot }, i) =>
    checkName(`controller.schedule.${i}.slot`, "a slot", slot, slots)
  );
}

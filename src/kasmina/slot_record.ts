/** The state of all slots as plain data: what checkpoints hold, and what a table takes back. */
import { z } from "zod";
import { HEALTH, TIMES } from "../contracts/health.ts";
import { Doom, STAGES } from "../contracts/lifecycle.ts";
import { UserError } from "../util/errors.ts";
import { TREND_TICKS } from "./trend.ts";

/** Directions of α. */
export const RAMPS = ["none", "in", "out"] as const;

const whole = z.int().min(0), share = z.number().min(0).max(1), flag = z.int().min(0).max(1);

/** Numbers that always have a value, and what each may be. Ticks unless said otherwise. */
const counterForms = {
  stage: z.int().min(0).max(STAGES.length - 1), // index into STAGES
  alpha: share, // at the last tick
  ramp: z.int().min(0).max(RAMPS.length - 1), // index into RAMPS
  rampFrom: share, // alpha where a ramp out began
  rampElapsed: whole,
  held: flag, // 1: alpha does not move in this tick
  waited: whole, // ticks that alpha was held back
  ready: flag, // 1: the running program holds the seed as its stage wants it
  ticksInStage: whole,
  age: whole,
  embargo: whole, // that a DORMANT slot is barred
  removalPasses: whole, // removal costs in a row with a lower bound above 0
  params: whole,
  flops: z.number().min(0), // of a forward pass for one example
  errors: whole, // seeds of this slot that were pruned
  generation: whole, // seeds that this slot has seen
};
export type Counter = keyof typeof counterForms;
export const COUNTERS = Object.keys(counterForms) as readonly Counter[];

/** Numbers that may be unknown. */
export const MEASURED = [
  "advantageMean",
  "advantageSe",
  "advantageN",
  "removalMean",
  "removalSe",
  "removalN",
  "removalAge",
  "anchorMean", // control loss where the ramp in began
  "anchorSe",
] as const;
export type Measured = typeof MEASURED[number];

/** Removal costs of this stay in HOLDING, tick by tick, and their standard errors. */
export const REMOVALS = ["removalCosts", "removalErrors"] as const;
export type Removals = typeof REMOVALS[number];

/** A number, as text where JSON cannot hold it; null where it is not known. */
const Reading = z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"]), z.null()]);
export type Readings = readonly z.output<typeof Reading>[];

/** One entry for each key. */
export function record<K extends string, V>(keys: readonly K[], make: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, make(key)])) as Record<K, V>;
}

/** By quantity, then by slot: what the last ticks found, oldest first. */
const trends = <K extends string>(keys: readonly K[]) =>
  z.strictObject(record(keys, () => z.array(z.array(Reading).max(TREND_TICKS))));

/** What `toJSON` of a table makes. */
export const SlotRecord = z.strictObject({
  names: z.array(z.string().min(1)),
  blueprint: z.array(z.string().nullable()),
  doom: z.array(Doom.nullable()),
  columns: z.strictObject({
    ...record(COUNTERS, (key) => z.array(counterForms[key])),
    ...record(MEASURED, () => z.array(Reading)),
  }),
  removals: trends(REMOVALS),
  health: trends(HEALTH),
  /** What the clock on the wall told: the only part in which two runs of one seed differ. */
  times: trends(TIMES),
}).superRefine(({ names, blueprint, doom, ...groups }, context) => {
  const lists = [["blueprint", blueprint] as const, ["doom", doom] as const];
  const nested = Object.entries(groups).flatMap(([group, columns]) =>
    Object.entries(columns).map(([key, values]) => [`${group}.${key}`, values] as const)
  );
  for (const [path, values] of [...lists, ...nested]) {
    if (values.length === names.length) continue;
    context.addIssue({
      code: "custom",
      path: path.split("."),
      message: `want ${names.length} values, one a slot, got ${values.length}`,
    });
  }
});
export type SlotRecord = z.output<typeof SlotRecord>;

/**
 * A record of these slots that may come from anywhere.
 *
 * @throws {UserError} where it is of others or damaged.
 */
export function readRecord(names: readonly string[], value: unknown): SlotRecord {
  const parsed = SlotRecord.safeParse(value);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    throw new UserError(`slot table: ${path.join(".") || "record"}: ${message}; the record is damaged`);
  }
  const want = names.join(", "), got = parsed.data.names.join(", ");
  if (want === got) return parsed.data;
  throw new UserError(`slot table: want slots ${want}, got ${got}; restore into the model that was saved`);
}

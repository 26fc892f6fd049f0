import type { Stage } from "../contracts/control.ts";
import { HEALTH, type HealthQuantity, type TimeQuantity, TIMES } from "../contracts/health.ts";
import { type EdgeReason, type Evidence, STAGES } from "../contracts/lifecycle.ts";
import { UserError } from "../util/errors.ts";
import { TREND_TICKS, type TrendColumn, trendColumn } from "./trend.ts";

/** Numbers that always have a value. Ticks unless said otherwise. */
const COUNTERS = [
  "stage", // index into STAGES
  "alpha", // at the last tick
  "ramp", // index into RAMPS
  "rampFrom", // alpha where a ramp out began
  "rampElapsed",
  "held", // 1: alpha does not move in this tick
  "waited", // ticks that alpha was held back
  "ready", // 1: the running program holds the seed as its stage wants it
  "ticksInStage",
  "age",
  "embargo", // that a DORMANT slot is barred
  "removalPasses", // removal costs in a row with a lower bound above 0
  "params",
  "flops", // of a forward pass for one example
  "errors", // seeds of this slot that were pruned
  "generation", // seeds that this slot has seen
] as const;

/** Numbers that may be unknown. */
const MEASURED = [
  "advantageMean",
  "advantageSe",
  "advantageN",
  "removalMean",
  "removalSe",
  "removalN",
  "removalAge",
  "firstRemovalMean", // the first of this stay in HOLDING
  "firstRemovalSe",
  "anchorMean", // control loss where the ramp in began
  "anchorSe",
] as const;

/** What lasts beyond one seed. */
const LASTING: readonly Counter[] = ["embargo", "errors", "generation"];

/** Directions of α. */
export const RAMPS = ["none", "in", "out"] as const;

type Counter = typeof COUNTERS[number];
type Measured = typeof MEASURED[number];

/** A column of numbers, each with a flag that says whether it is known. */
export interface MeasuredColumn {
  get(row: number): number | null;
  set(row: number, value: number | null): void;
}

/** Why a seed that is being blended out will be pruned. */
export interface Doom {
  readonly reason: EdgeReason;
  readonly evidence: Evidence;
}

/** The state of all slots, a column for each quantity. It is all of Kasmina's state: every checkpoint holds it. */
export interface SlotTable
  extends
    Readonly<Record<Counter, Float64Array>>,
    Readonly<Record<Measured, MeasuredColumn>>,
    Readonly<Record<HealthQuantity | TimeQuantity, TrendColumn>> {
  readonly names: readonly string[];
  readonly blueprint: (string | null)[];
  readonly doom: (Doom | null)[];
  stageOf(row: number): Stage;
  /** Forgets the seed of a row. */
  clear(row: number): void;
  toJSON(): SlotTableJson;
  /** @throws {Error} if the record is of other slots or damaged; nothing is changed then. */
  restore(json: SlotTableJson): void;
}

type Numbers = readonly (number | string | null)[];
/** By quantity, then by slot: what the last ticks found, oldest first. */
type Trends = Readonly<Record<string, readonly Numbers[]>>;

/** What `toJSON` makes. Numbers that JSON cannot hold stand as text, unknown ones as null. */
export interface SlotTableJson {
  readonly names: readonly string[];
  readonly blueprint: readonly (string | null)[];
  readonly doom: readonly (Doom | null)[];
  readonly columns: Readonly<Record<string, Numbers>>;
  readonly health: Trends;
  /** What the clock on the wall told: the only part in which two runs of one seed differ. */
  readonly times: Trends;
}

function measuredColumn(size: number): MeasuredColumn {
  const values = new Float64Array(size);
  const known = new Uint8Array(size);
  return {
    get: (row) => known[row] ? values[row] : null,
    set(row, value) {
      known[row] = value === null ? 0 : 1;
      values[row] = value ?? 0;
    },
  };
}

/** One entry for each key. */
function record<K extends string, V>(keys: readonly K[], make: () => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, make()])) as Record<K, V>;
}

const encode = (value: number | null) => value === null || Number.isFinite(value) ? value : String(value);

const decode = (values: Numbers) => values.map((value) => value === null ? null : Number(value));

/** A table of DORMANT slots. */
export function slotTable(names: readonly string[]): SlotTable {
  const size = names.length;
  const rows = names.map((_, row) => row);
  const counters = record(COUNTERS, () => new Float64Array(size));
  const measured = record(MEASURED, () => measuredColumn(size));
  const health = record(HEALTH, () => trendColumn(size));
  const times = record(TIMES, () => trendColumn(size));
  const blueprint: (string | null)[] = rows.map(() => null);
  const doom: (Doom | null)[] = rows.map(() => null);
  const saved = (columns: Readonly<Record<string, TrendColumn>>): Trends =>
    Object.fromEntries(
      Object.entries(columns).map((
        [key, column],
      ) => [key, rows.map((row) => column.recent(row).map(encode))]),
    );

  return {
    names,
    ...counters,
    ...measured,
    ...health,
    ...times,
    blueprint,
    doom,
    stageOf: (row) => STAGES[counters.stage[row]],
    clear(row) {
      for (const key of COUNTERS) if (!LASTING.includes(key)) counters[key][row] = 0;
      for (const key of MEASURED) measured[key].set(row, null);
      for (const column of Object.values({ ...health, ...times })) column.restore(row, []);
      blueprint[row] = null;
      doom[row] = null;
    },
    toJSON: () => ({
      names: [...names],
      blueprint: [...blueprint],
      doom: [...doom],
      columns: Object.fromEntries([
        ...COUNTERS.map((key) => [key, [...counters[key]].map(encode)]),
        ...MEASURED.map((key) => [key, rows.map((row) => encode(measured[key].get(row)))]),
      ]),
      health: saved(health),
      times: saved(times),
    }),
    restore(json) {
      check(names, json);
      const column = (key: string) => decode(json.columns[key]);
      for (const key of COUNTERS) counters[key].set(column(key).map((value) => value ?? 0));
      for (const key of MEASURED) column(key).forEach((value, row) => measured[key].set(row, value));
      for (const key of HEALTH) {
        json.health[key].forEach((recent, row) => health[key].restore(row, decode(recent)));
      }
      for (const key of TIMES) {
        json.times[key].forEach((recent, row) => times[key].restore(row, decode(recent)));
      }
      for (const row of rows) {
        blueprint[row] = json.blueprint[row];
        doom[row] = json.doom[row];
      }
    },
  };
}

const isNumber = (value: unknown) =>
  value === null || typeof value === "number" ||
  ["NaN", "Infinity", "-Infinity"].includes(value as string);
const isCount = (value: unknown) => typeof value === "number" && Number.isFinite(value);

/** What each value of a column must be. */
const FORMS: Readonly<Record<string, (value: unknown) => boolean>> = {
  stage: (value) => STAGES[value as number] !== undefined,
  ramp: (value) => RAMPS[value as number] !== undefined,
  blueprint: (value) => value === null || typeof value === "string",
  doom: (value) => value === null || typeof (value as Doom).reason === "string",
};

/** A record is checked whole before any of it is taken over: it may come from anywhere. */
function check(names: readonly string[], json: SlotTableJson): void {
  const given = Array.isArray(json?.names) ? json.names.join(", ") : "none";
  if (given !== names.join(", ")) {
    throw new UserError(
      `slot table: want slots ${names.join(", ")}, got ${given}; restore into the model that was saved`,
    );
  }
  const recent = (value: unknown) =>
    Array.isArray(value) && value.length <= TREND_TICKS && value.every(isNumber);
  const columns: (readonly [string, unknown, (value: unknown) => boolean])[] = [
    ["blueprint", json.blueprint, FORMS.blueprint],
    ["doom", json.doom, FORMS.doom],
    ...COUNTERS.map((key) => [key, json.columns?.[key], FORMS[key] ?? isCount] as const),
    ...MEASURED.map((key) => [key, json.columns?.[key], isNumber] as const),
    ...HEALTH.map((key) => [key, json.health?.[key], recent] as const),
    ...TIMES.map((key) => [key, json.times?.[key], recent] as const),
  ];
  for (const [key, values, fits] of columns) {
    const got = Array.isArray(values) ? values.length : "none";
    if (got !== names.length) {
      throw new UserError(
        `slot table: want ${names.length} values of ${key}, got ${got}; the record is damaged`,
      );
    }
    const wrong = (values as unknown[]).find((value) => !fits(value));
    if (wrong !== undefined) {
      throw new UserError(
        `slot table: ${key} cannot be ${JSON.stringify(wrong).slice(0, 40)}; the record is damaged`,
      );
    }
  }
}

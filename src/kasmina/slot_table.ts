import type { Stage } from "../contracts/control.ts";
import { type EdgeReason, type Evidence, STAGES } from "../contracts/lifecycle.ts";

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
  "gradNorm",
  "hostGradNorm",
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
  "micros", // device time of the seed in a step
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
  extends Readonly<Record<Counter, Float64Array>>, Readonly<Record<Measured, MeasuredColumn>> {
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

/** What `toJSON` makes. Numbers that JSON cannot hold stand as text, unknown ones as null. */
export interface SlotTableJson {
  readonly names: readonly string[];
  readonly blueprint: readonly (string | null)[];
  readonly doom: readonly (Doom | null)[];
  readonly columns: Readonly<Record<string, readonly (number | string | null)[]>>;
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

/** A table of DORMANT slots. */
export function slotTable(names: readonly string[]): SlotTable {
  const size = names.length;
  const rows = names.map((_, row) => row);
  const counters = record(COUNTERS, () => new Float64Array(size));
  const measured = record(MEASURED, () => measuredColumn(size));
  const blueprint: (string | null)[] = rows.map(() => null);
  const doom: (Doom | null)[] = rows.map(() => null);

  return {
    names,
    ...counters,
    ...measured,
    blueprint,
    doom,
    stageOf: (row) => STAGES[counters.stage[row]],
    clear(row) {
      for (const key of COUNTERS) if (!LASTING.includes(key)) counters[key][row] = 0;
      for (const key of MEASURED) measured[key].set(row, null);
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
    }),
    restore(json) {
      check(names, json);
      const column = (key: string) => json.columns[key].map((value) => value === null ? null : Number(value));
      for (const key of COUNTERS) counters[key].set(column(key).map((value) => value ?? 0));
      for (const key of MEASURED) column(key).forEach((value, row) => measured[key].set(row, value));
      for (const row of rows) {
        blueprint[row] = json.blueprint[row];
        doom[row] = json.doom[row];
      }
    },
  };
}

function check(names: readonly string[], json: SlotTableJson): void {
  if (json.names.join() !== names.join()) {
    throw new Error(
      `slot table: want slots ${names.join(", ")}, got ${
        json.names.join(", ")
      }; restore into the model that was saved`,
    );
  }
  const lists: Readonly<Record<string, readonly unknown[]>> = {
    blueprint: json.blueprint,
    doom: json.doom,
    ...json.columns,
  };
  for (const key of ["blueprint", "doom", ...COUNTERS, ...MEASURED]) {
    if (lists[key]?.length !== names.length) {
      const got = lists[key]?.length ?? "none";
      throw new Error(`slot table: want ${names.length} values of ${key}, got ${got}; the record is damaged`);
    }
  }
}

import type { Stage } from "../contracts/control.ts";
import { HEALTH, type HealthQuantity, type TimeQuantity, TIMES } from "../contracts/health.ts";
import { type Doom, STAGES } from "../contracts/lifecycle.ts";
import {
  type Counter,
  COUNTERS,
  MEASURED,
  type Measured,
  type Readings,
  readRecord,
  record,
  REMOVALS,
  type Removals,
  type SlotRecord,
} from "./slot_record.ts";
import { type TrendColumn, trendColumn } from "./trend.ts";

/** What lasts beyond one seed. */
const LASTING: readonly Counter[] = ["embargo", "errors", "generation"];

/** A column of numbers, each with a flag that says whether it is known. */
export interface MeasuredColumn {
  get(row: number): number | null;
  set(row: number, value: number | null): void;
}

/** The state of all slots, a column for each quantity. It is all of Kasmina's state: every checkpoint holds it. */
export interface SlotTable
  extends
    Readonly<Record<Counter, Float64Array>>,
    Readonly<Record<Measured, MeasuredColumn>>,
    Readonly<Record<Removals | HealthQuantity | TimeQuantity, TrendColumn>> {
  readonly names: readonly string[];
  readonly blueprint: (string | null)[];
  readonly doom: (Doom | null)[];
  stageOf(row: number): Stage;
  /** Forgets the seed of a row. */
  clear(row: number): void;
  toJSON(): SlotRecord;
  /** @throws {Error} if the record is of other slots or damaged; nothing is changed then. */
  restore(json: unknown): void;
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

const encode = (value: number | null) =>
  (value === null || Number.isFinite(value) ? value : String(value)) as Readings[number];

/** Evidence as it stands in the log: so a prune is told in the same words after a restore. */
const inWords = ({ reason, evidence }: Doom): Doom => ({
  reason,
  evidence: Object.fromEntries(
    Object.entries(evidence).map(([key, value]) => [key, typeof value === "number" ? encode(value) : value]),
  ),
});

const decode = (values: Readings) => values.map((value) => value === null ? null : Number(value));

/** A table of DORMANT slots. */
export function slotTable(names: readonly string[]): SlotTable {
  const size = names.length;
  const rows = names.map((_, row) => row);
  const counters = record(COUNTERS, () => new Float64Array(size));
  const measured = record(MEASURED, () => measuredColumn(size));
  const removals = record(REMOVALS, () => trendColumn(size));
  const health = record(HEALTH, () => trendColumn(size));
  const times = record(TIMES, () => trendColumn(size));
  const blueprint: (string | null)[] = rows.map(() => null);
  const doom: (Doom | null)[] = rows.map(() => null);
  const recorded = <K extends string>(keys: readonly K[], columns: Readonly<Record<K, TrendColumn>>) =>
    record(keys, (key) => rows.map((row) => columns[key].recent(row).map(encode)));

  return {
    names,
    ...counters,
    ...measured,
    ...removals,
    ...health,
    ...times,
    blueprint,
    doom,
    stageOf: (row) => STAGES[counters.stage[row]],
    clear(row) {
      for (const key of COUNTERS) if (!LASTING.includes(key)) counters[key][row] = 0;
      for (const key of MEASURED) measured[key].set(row, null);
      for (const column of Object.values({ ...removals, ...health, ...times })) column.restore(row, []);
      blueprint[row] = null;
      doom[row] = null;
    },
    toJSON: () => ({
      names: [...names],
      blueprint: [...blueprint],
      doom: doom.map((seed) => seed && inWords(seed)),
      columns: {
        ...record(COUNTERS, (key) => [...counters[key]]),
        ...record(MEASURED, (key) => rows.map((row) => encode(measured[key].get(row)))),
      },
      removals: recorded(REMOVALS, removals),
      health: recorded(HEALTH, health),
      times: recorded(TIMES, times),
    }),
    restore(json) {
      const { columns, removals: costs, health: known, times: clocked, ...saved } = readRecord(names, json);
      for (const key of COUNTERS) counters[key].set(columns[key]);
      for (const key of MEASURED) {
        decode(columns[key]).forEach((value, row) => measured[key].set(row, value));
      }
      for (const key of REMOVALS) {
        costs[key].forEach((recent, row) => removals[key].restore(row, decode(recent)));
      }
      for (const key of HEALTH) {
        known[key].forEach((recent, row) => health[key].restore(row, decode(recent)));
      }
      for (const key of TIMES) {
        clocked[key].forEach((recent, row) => times[key].restore(row, decode(recent)));
      }
      for (const row of rows) {
        blueprint[row] = saved.blueprint[row];
        doom[row] = saved.doom[row];
      }
    },
  };
}

import type { Measurement } from "../contracts/control.ts";
import { HEALTH, TIMES } from "../contracts/health.ts";
import { lowerBound } from "./gates.ts";
import type { SlotTable } from "./slot_table.ts";
import { type Trend, trendOf } from "./trend.ts";
import type { SlotMeasurement } from "../contracts/growth.ts";

/** A mean and its standard error. */
export type Pair = Pick<Measurement, "mean" | "se">;

/** A measured mean of one slot; null where unknown. */
export function reading(table: SlotTable, row: number, kind: "advantage" | "removal"): Measurement | null {
  const mean = table[`${kind}Mean`].get(row),
    se = table[`${kind}Se`].get(row),
    n = table[`${kind}N`].get(row);
  return mean === null || se === null || n === null ? null : { mean, se, n };
}

function setReading(
  table: SlotTable,
  row: number,
  kind: "advantage" | "removal",
  value: Measurement | null,
): void {
  table[`${kind}Mean`].set(row, value?.mean ?? null);
  table[`${kind}Se`].set(row, value?.se ?? null);
  table[`${kind}N`].set(row, value?.n ?? null);
}

/** The latest removal cost with its age in ticks. */
export function removalOf(table: SlotTable, row: number): (Measurement & { age: number }) | null {
  const cost = reading(table, row, "removal");
  const age = table.removalAge.get(row);
  return cost && age !== null ? { ...cost, age } : null;
}

/** How the removal cost of this stay in HOLDING moves. */
export function removalTrend(table: SlotTable, row: number): Trend | null {
  return trendOf(table.removalCosts.recent(row), table.removalErrors.recent(row));
}

/** The control loss where a blend began. */
export function anchorOf(table: SlotTable, row: number): Pair | null {
  const mean = table.anchorMean.get(row), se = table.anchorSe.get(row);
  return mean === null || se === null ? null : { mean, se };
}

export function setAnchor(table: SlotTable, row: number, value: Pair | null): void {
  table.anchorMean.set(row, value?.mean ?? null);
  table.anchorSe.set(row, value?.se ?? null);
}

/** Forgets the removal costs of an earlier stage. */
export function forgetRemoval(table: SlotTable, row: number): void {
  setReading(table, row, "removal", null);
  table.removalAge.set(row, null);
  table.removalCosts.restore(row, []);
  table.removalErrors.restore(row, []);
  table.removalPasses[row] = 0;
}

/** Takes in what a tick found out about a slot. Only removal costs, which are dear, are kept beyond their tick. */
export function takeIn(
  table: SlotTable,
  row: number,
  m: SlotMeasurement | undefined,
  confidence: number,
): void {
  for (const quantity of HEALTH) table[quantity].note(row, m?.health[quantity] ?? null);
  for (const quantity of TIMES) table[quantity].note(row, m?.times[quantity] ?? null);
  setReading(table, row, "advantage", m?.advantage ?? null);
  table.removalCosts.note(row, m?.removal?.mean ?? null);
  table.removalErrors.note(row, m?.removal?.se ?? null);
  if (!m?.removal) {
    const age = table.removalAge.get(row);
    table.removalAge.set(row, age === null ? null : age + 1);
    return;
  }
  setReading(table, row, "removal", m.removal);
  table.removalAge.set(row, 0);
  table.removalPasses[row] = lowerBound(m.removal, confidence) > 0 ? table.removalPasses[row] + 1 : 0;
}

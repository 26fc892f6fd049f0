import type { SweepSummary } from "../app/sweep.ts";
import { renderTable } from "./table.ts";

const spread = (mean: number, deviation: number | null, digits: number) =>
  mean.toFixed(digits) + (deviation === null ? "" : ` ± ${deviation.toFixed(digits)}`);

/** A row a variation, best test loss first; ± is a standard deviation over seeds. */
export function sweepLines(summary: readonly SweepSummary[]): string[] {
  return renderTable(
    ["variation", "seeds", "test loss", "accuracy %", "parameters", "GFLOP"],
    summary.map((row) => [
      row.set.join(" ") || "as it stands",
      `${row.seeds}`,
      spread(row.loss, row.lossDeviation, 4),
      spread(100 * row.accuracy, row.accuracyDeviation === null ? null : 100 * row.accuracyDeviation, 2),
      row.params.toFixed(0),
      row.gflop.toFixed(2),
    ]),
  );
}

/** A proof as a terminal shows it. */
import type { Comparison, Proof } from "../contracts/proof.ts";
import { formatCount } from "./format.ts";
import { renderTable } from "./table.ts";

export const TABLE_HEAD: readonly string[] = [
  ...[
    "arm",
    "seeds",
    "test loss",
    "IQM",
    "test accuracy %",
    "IQM %",
    "area %",
    "parameters",
    "GFLOP",
    "steps",
  ],
];

/** A row an arm; `area` is mean validation accuracy over log FLOPs. */
export function tableRows({ table }: Pick<Proof, "table">): string[][] {
  return table.map((row) => [
    ...[row.arm, row.crashed > 0 ? `${row.seeds} (${row.crashed} crashed)` : String(row.seeds)],
    ...[
      row.loss.toFixed(4),
      row.iqmLoss.toFixed(4),
      (100 * row.accuracy).toFixed(2),
      (100 * row.iqmAccuracy).toFixed(2),
    ],
    ...[
      row.area === null ? "-" : (100 * row.area).toFixed(2),
      formatCount(Math.round(row.params)),
      row.gflop.toFixed(1),
    ],
    row.steps.toFixed(0),
  ]);
}

export const COMPARISON_HEAD: readonly string[] = [
  ...["", "difference", "mean", "95 % interval", "margin", "IQM", "P(better)", "p", "adjusted", "verdict"],
];

const signed = (value: number) => `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(4)}`;

export function comparisonRow(one: Comparison): string[] {
  return [
    ...[one.id, one.about, signed(one.mean), `${signed(one.low)} to ${signed(one.high)}`, signed(one.margin)],
    ...[
      signed(one.interquartile),
      one.improvement.toFixed(2),
      one.p.toFixed(4),
      one.adjusted?.toFixed(4) ?? "-",
    ],
    one.verdict,
  ];
}

/** Tables and verdicts. */
export function proofLines(proof: Proof): string[] {
  return [
    ...renderTable(TABLE_HEAD, tableRows(proof)),
    "",
    ...renderTable(COMPARISON_HEAD, proof.comparisons.map(comparisonRow)),
    "",
    ...proof.faults.map((fault) => `fault: ${fault}`),
    ...proof.verdicts.map(({ id, verdict, claim }) => `${id} ${verdict}: ${claim}`),
  ];
}

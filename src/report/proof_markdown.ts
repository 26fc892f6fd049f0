/** A proof as Markdown, for documents. */
import type { ArmTimes, Proof } from "../contracts/proof.ts";
import { formatCount } from "./format.ts";
import { COMPARISON_HEAD, comparisonRow, TABLE_HEAD, tableRows } from "./proof_lines.ts";

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line), ""];
}

/** Verdicts, arms, comparisons and a row a run. */
export function proofMarkdown(proof: Proof, times: readonly ArmTimes[]): string[] {
  const { manifest: { dataset, adapter, proof: { seeds }, sha256 }, verdicts, comparisons, headroom, arms } =
    proof;
  const secondsOf = (arm: string, seed: number) =>
    times.find((one) => one.arm === arm && one.seed === seed)?.seconds.toFixed(0) ?? "";
  const runs = arms.map(({ arm, seed, outcome }) => {
    if (outcome.status === "crashed") return [arm, String(seed), "crashed", "", "", "", "", ""];
    const { test, validation, grown, flops, steps } = outcome;
    return [
      ...[
        arm,
        String(seed),
        test.loss.toFixed(4),
        (100 * test.accuracy).toFixed(2),
        validation.loss.toFixed(4),
      ],
      ...[formatCount(grown.params), `${(flops / 1e9).toFixed(1)} / ${steps}`, secondsOf(arm, seed)],
    ];
  });
  return [
    `Data: ${dataset}. Machine: ${adapter.description} (${adapter.backend}). Seeds ${seeds.first} to ` +
    `${seeds.first + seeds.count - 1}. Manifest ${sha256.slice(0, 12)}.`,
    "",
    "```sh",
    proof.command,
    "```",
    "",
    ...table(["claim", "verdict", "why"], verdicts.map(({ id, verdict, why }) => [id, verdict, why])),
    ...table(TABLE_HEAD, tableRows(proof)),
    ...table(COMPARISON_HEAD, [...comparisons, headroom].map(comparisonRow)),
    ...table(
      [
        "arm",
        "seed",
        "test loss",
        "test accuracy %",
        "validation loss",
        "parameters",
        "GFLOP / steps",
        "seconds",
      ],
      runs,
    ),
  ];
}

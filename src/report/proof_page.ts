/** A proof as one page: verdicts, tables, curves, and what was decided when. */
import type { ArmPoint, ArmResult, ArmTimes, Comparison, CompletedArm, Proof } from "../contracts/proof.ts";
import type { Stage } from "../contracts/control.ts";
import { meanOf } from "../util/statistics.ts";
import { type Line, lineChart, type Stretch, timeline } from "./charts.ts";
import { stageColor } from "./colors.ts";
import { formatCount } from "./format.ts";
import { definitionList, escapeHtml, figure, htmlTable } from "./html.ts";
import { page, type Section } from "./page.ts";
import { COMPARISON_HEAD, comparisonRow, TABLE_HEAD, tableRows } from "./proof_lines.ts";

/** Arms that the curves show: more would hide each other. */
const DRAWN = ["host-flops", "static-flops", "heuristic", "learned", "random", "widened"];

const completed = (arms: readonly ArmResult[], arm: string): CompletedArm[] =>
  arms.flatMap(({ arm: name, outcome }) => name === arm && outcome.status === "completed" ? [outcome] : []);

/** A mean over seeds: the k-th points of all curves as one, as far as all of them reach; their last points as the last. */
function meanCurve(
  curves: readonly (readonly ArmPoint[])[],
  x: (point: ArmPoint, run: number, at: number) => number,
  y: (point: ArmPoint) => number,
): Line["points"] {
  const length = Math.min(...curves.map((curve) => curve.length));
  const at = (k: number) =>
    curves.map((curve, run) => {
      const index = k === length - 1 ? curve.length - 1 : k;
      return [x(curve[index], run, index), y(curve[index])] as const;
    });
  return Array.from({ length }, (_, k) => {
    const points = at(k);
    return [meanOf(points.map(([px]) => px)), meanOf(points.map(([, py]) => py))] as const;
  });
}

type X = readonly [
  label: string,
  of: (point: ArmPoint, arm: string, run: number, at: number) => number | null,
];

/** A figure an axis and a measure. */
function curves({ arms }: Proof, times: readonly ArmTimes[]): string {
  const clockOf = (arm: string) => times.filter((one) => one.arm === arm).sort((a, b) => a.seed - b.seed);
  const axes: X[] = [
    ["GFLOP spent, everything counted", ({ flops }) => flops / 1e9],
    ["seconds, beside other runs", (_, arm, run, at) => clockOf(arm)[run]?.curve[at] ?? null],
    ["parameters", ({ params }) => params],
  ];
  const measures = [["validation accuracy", "accuracy", true], [
    "validation loss, nats",
    "loss",
    false,
  ]] as const;
  const drawn = DRAWN.filter((arm) => completed(arms, arm).length > 0);
  return axes.flatMap(([x, of]) =>
    measures.map(([y, key, percent]) => {
      const lines = drawn.map((arm): Line => ({
        name: arm,
        points: meanCurve(
          completed(arms, arm).map(({ curve }) => curve),
          (point, run, at) => of(point, arm, run, at) ?? NaN,
          (point) => point[key],
        ).filter(([at]) => Number.isFinite(at)),
      }));
      return figure(
        lineChart({ title: `${y} by ${x}`, x, y, lines, percent }),
        `${y} by ${x}, mean over seeds; the last point is that of the end`,
      );
    })
  ).join("\n");
}

/** The stages of every slot of a run, from its first step to its last. */
function stretchesOf({ arm, seed }: ArmResult, { edges, steps }: CompletedArm): Stretch[] {
  const slots = [...new Set(edges.map(({ slot }) => slot))].sort();
  return slots.flatMap((slot) => {
    const own = edges.filter((edge) => edge.slot === slot);
    return own.map((edge, k): Stretch => ({
      row: `${arm}, seed ${seed}, ${slot}`,
      from: edge.step,
      to: own[k + 1]?.step ?? steps,
      color: stageColor(edge.to as Stage),
      label: edge.blueprint ?? "",
      text: `${edge.to} from step ${edge.step}${edge.blueprint === null ? "" : `: ${edge.blueprint}`}`,
    }));
  });
}

function timelines({ arms }: Proof): string {
  const names = [...new Set(arms.map(({ arm }) => arm))];
  return names.flatMap((name) => {
    const stretches = arms.filter(({ arm }) => arm === name).flatMap((result) =>
      result.outcome.status === "completed" ? stretchesOf(result, result.outcome) : []
    );
    if (stretches.length === 0) return [];
    return [
      figure(
        timeline(`stages of seeds of ${name}`, "step", stretches),
        `${name}: what sat in each slot, by step`,
      ),
    ];
  }).join("\n");
}

/** A row a run. */
function runsTable({ arms }: Proof, times: readonly ArmTimes[]): string {
  const rows = arms.map(({ arm, seed, config, outcome }) => {
    const seconds = times.find((one) => one.arm === arm && one.seed === seed)?.seconds.toFixed(0) ?? "";
    if (outcome.status === "crashed") {
      return [arm, String(seed), `crashed: ${outcome.error}`, "", "", "", "", seconds, config.slice(0, 12)];
    }
    const { test, validation, grown, flops, steps } = outcome;
    return [
      ...[
        arm,
        String(seed),
        test.loss.toFixed(4),
        (100 * test.accuracy).toFixed(2),
        validation.loss.toFixed(4),
      ],
      ...[formatCount(grown.params), `${(flops / 1e9).toFixed(1)} / ${steps}`, seconds, config.slice(0, 12)],
    ];
  });
  return htmlTable(
    [
      "arm",
      "seed",
      "test loss",
      "test accuracy %",
      "validation loss",
      "parameters",
      "GFLOP / steps",
      "seconds",
      "configuration",
    ],
    rows,
    "Every run, with the beginning of its configuration's hash",
  );
}

const comparisonTable = (comparisons: readonly Comparison[], caption: string) =>
  htmlTable(COMPARISON_HEAD, comparisons.map(comparisonRow), caption);

/** The whole page, as HTML that needs nothing but itself. */
export function proofPage(proof: Proof, times: readonly ArmTimes[]): string {
  const { manifest, verdicts, comparisons, headroom, faults, command } = proof;
  const { adapter, dataset, proof: { seeds } } = manifest;
  const verdictRows = verdicts.map(({ id, verdict, claim, why }) => [id, verdict, claim, why]);
  const sections: Section[] = [
    {
      title: "Verdicts",
      html: faults.map((fault) => `<p class="notice">${escapeHtml(fault)}</p>`).join("\n") +
        htmlTable(["", "verdict", "claim", "why"], verdictRows),
    },
    {
      title: "Arms",
      html: htmlTable(TABLE_HEAD, tableRows(proof), "Means over seeds; IQM is the mean of the middle half"),
    },
    {
      title: "Comparisons",
      html: comparisonTable(comparisons, "Paired by seed; primary, adjusted together by Holm") +
        comparisonTable([headroom], "Headroom check, on seeds of its own"),
    },
    { title: "Curves", html: curves(proof, times) },
    { title: "Decisions", html: timelines(proof) },
    { title: "Runs", html: runsTable(proof, times) },
    {
      title: "What was fixed beforehand",
      html: definitionList([
        ["command", command],
        ["manifest", manifest.sha256],
        ["code", manifest.code],
        ["task", manifest.task],
        ["adapter", JSON.stringify(adapter)],
        ...verdicts.map(({ id, claim, rule }) => [id, `${claim}. ${rule}.`] as const),
      ]) +
        `<details><summary>The proof's configuration</summary><pre>${
          escapeHtml(JSON.stringify(manifest.proof, null, 2))
        }</pre></details>`,
    },
  ];
  return page({
    title: `Does growth pay? ${manifest.proof.name}`,
    subtitle: `${dataset}, ${seeds.count} seeds from ${seeds.first} on, ${String(adapter.description)} (${
      String(adapter.backend)
    })`,
    sections,
  });
}

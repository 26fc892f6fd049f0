/** Charts of a run over its steps. */
import type { NetworkSize } from "../app/options.ts";
import type { Stage } from "../contracts/control.ts";
import { type ChartEvent, type Line, lineChart, type Point, type Stretch, timeline } from "./charts.ts";
import { stageColor } from "./colors.ts";
import { describeEvidence, spaced } from "./event_lines.ts";
import { figure } from "./html.ts";
import { type Life, livesOf, type Story } from "./story.ts";

/** What charts are drawn from: a run, and one that never grew where there is one. */
export interface Told {
  readonly story: Story;
  readonly baseline: { readonly name: string; readonly story: Story } | null;
}

/** Letters of what happens to a seed. */
const MARKS: Partial<Record<Stage, string>> = {
  GERMINATED: "G",
  TRAINING: "T",
  BLENDING: "B",
  HOLDING: "H",
  FOSSILIZED: "F",
  PRUNED: "P",
};

const MARKS_EXPLAINED =
  "G germinated, T training, B blending, H holding, F fossilized, P pruned, R rolled back; point at a letter for more.";

/** What happened, with its evidence. */
function eventsOf({ edges, rollbacks }: Story): ChartEvent[] {
  return [
    ...edges.flatMap(({ step, seed, blueprint, from, to, reason, evidence }) => {
      const mark = MARKS[to];
      const text = `step ${step}: ${seed} ${blueprint ?? ""} ${from} → ${to} (${spaced(reason)}): ${
        describeEvidence(evidence)
      }`;
      return mark === undefined ? [] : [{ x: step, mark, text }];
    }),
    ...rollbacks.map(({ step, restoredStep, reason }) => ({
      x: step,
      mark: "R",
      text: `step ${step}: rolled back to step ${restoredStep}: ${reason}`,
    })),
  ];
}

/** Numbers by step; those that are not finite stand in logs as texts, and are left out. */
function pointsOf<T extends { readonly step: number }>(
  list: readonly T[],
  value: (one: T) => unknown,
): Point[] {
  return list.flatMap((one) => {
    const found = value(one);
    const y = found === null || found === undefined ? NaN : Number(found);
    return Number.isFinite(y) ? [[one.step, y] as const] : [];
  });
}

/** Running mean over about a fiftieth of the points, so that a trend is seen through the noise of batches. */
function smoothed(points: readonly Point[]): Point[] {
  const weight = 1 / Math.max(1, points.length / 50);
  let mean = points[0]?.[1] ?? 0;
  return points.map(([x, y]) => [x, mean += weight * (y - mean)] as const);
}

/** What was measured on the validation split at ticks, where it was. */
function validated(
  { ticks }: Story,
  value: (one: NonNullable<Story["ticks"][number]["validation"]>) => unknown,
): Line[] {
  const points = pointsOf(ticks, ({ validation }) => validation && value(validation));
  return points.length === 0 ? [] : [{ name: "validation split", points }];
}

/** Loss of training and on the control split, events on it. */
export function lossChart({ story, baseline }: Told): string {
  const lines: Line[] = [
    { name: "training, smoothed", points: smoothed(pointsOf(story.metrics, ({ loss }) => loss)) },
    { name: "control split", points: pointsOf(story.ticks, ({ controlLoss }) => controlLoss) },
    ...validated(story, ({ loss }) => loss),
    ...baseline === null ? [] : [{
      name: `control split, ${baseline.name}`,
      points: pointsOf(baseline.story.ticks, ({ controlLoss }) => controlLoss),
    }],
  ];
  const svg = lineChart({
    title: "Loss by step",
    x: "step",
    y: "loss, nats",
    lines,
    events: eventsOf(story),
  });
  return figure(svg, `Cross-entropy. ${MARKS_EXPLAINED}`);
}

/** Accuracy of training batches. */
export function accuracyChart({ story, baseline }: Told): string {
  const line = (name: string, { metrics }: Story): Line => ({
    name,
    points: smoothed(pointsOf(metrics, ({ accuracy }) => accuracy)),
  });
  const svg = lineChart({
    title: "Accuracy by step",
    x: "step",
    y: "accuracy",
    percent: true,
    lines: [
      line("training, smoothed", story),
      ...validated(story, ({ accuracy }) => accuracy),
      ...baseline ? [line(`training, ${baseline.name}`, baseline.story)] : [],
    ],
    events: eventsOf(story),
  });
  return figure(svg, "Share of examples that are classified rightly.");
}

/** α of each slot that ever held a seed that was blended. */
export function alphaChart({ ticks }: Story): string | null {
  const slots = [
    ...new Set(ticks.flatMap((tick) => tick.slots.filter(({ alpha }) => alpha > 0).map(({ slot }) => slot))),
  ];
  if (slots.length === 0) return null;
  const lines = slots.map((name) => ({
    name,
    points: pointsOf(ticks, (tick) => tick.slots.find(({ slot }) => slot === name)?.alpha),
  }));
  const svg = lineChart({
    title: "α of each slot by step",
    x: "step",
    y: "α",
    lines,
    reach: [0, 1],
    height: 200,
  });
  return figure(svg, "How much of a seed is blended in: the slot gives h + α·γ⊙f(h).");
}

/** Advantage of each seed that was measured, with 1.645 standard errors to either side. */
export function advantageChart(story: Story): string | null {
  const lines = livesOf(story).flatMap(({ seed, slot, blueprint, spells }): Line[] => {
    const [first, last] = [spells[0].entered.step, spells.at(-1)!.until ?? Infinity];
    const measured = story.ticks.flatMap((tick) => {
      const advantage = tick.slots.find((one) => one.slot === slot)?.advantage;
      return advantage && tick.step >= first && tick.step < last ? [{ step: tick.step, ...advantage }] : [];
    });
    return measured.length === 0 ? [] : [{
      name: `${seed} ${blueprint}`,
      points: pointsOf(measured, ({ mean }) => mean),
      band: measured.map(({ step, mean, se }) =>
        [step, Number(mean) - 1.645 * Number(se), Number(mean) + 1.645 * Number(se)] as const
      ).filter((interval) => interval.every(Number.isFinite)),
    }];
  });
  if (lines.length === 0) return null;
  const svg = lineChart({
    title: "Advantage of seeds by step",
    x: "step",
    y: "advantage, nats",
    lines,
    reach: [0],
    height: 220,
  });
  return figure(
    svg,
    "Control loss without the seed minus with it, on the same batches; bands are 90 % intervals.",
  );
}

/** Parameters of the network, seeds that live or have fossilised included. */
export function parameterChart(story: Story, sizeWith: (seeds: readonly Life[]) => NetworkSize): string {
  const lives = livesOf(story);
  const changes = [
    0,
    ...story.edges.filter(({ to }) => to === "GERMINATED" || to === "PRUNED").map(({ step }) => step),
  ];
  const last = story.ticks.at(-1)?.step ?? story.metrics.at(-1)?.step ?? 0;
  const sizes = [...new Set([...changes, last])].sort((a, b) => a - b).map((step) => {
    const held = lives.filter(({ spells }) =>
      spells[0].entered.step <= step &&
      !spells.some(({ entered }) => entered.to === "PRUNED" && entered.step <= step)
    );
    return { step, ...sizeWith(held) };
  });
  const chart = (title: string, y: string, value: (size: NetworkSize) => number) =>
    lineChart({
      title,
      x: "step",
      y,
      lines: [{ name: y, points: pointsOf(sizes, value) }],
      steps: true,
      reach: [0],
      height: 180,
    });
  return figure(
    chart("Parameters by step", "parameters", ({ params }) => params),
    "Parameters, seeds included.",
  ) +
    figure(
      chart("FLOPs of one example by step", "FLOP an example", ({ flops }) => flops),
      "FLOPs of one example's forward pass.",
    );
}

/** FLOPs spent in all, against those budgeted. */
export function spendingChart({ story, baseline }: Told): string {
  const line = (name: string, { metrics }: Story): Line => ({
    name,
    points: pointsOf(metrics, ({ flops }) => flops / 1e9),
  });
  const svg = lineChart({
    title: "FLOPs spent by step",
    x: "step",
    y: "GFLOP",
    lines: [line("this run", story), ...baseline ? [line(baseline.name, baseline.story)] : []],
    reach: [0],
    height: 200,
  });
  return figure(svg, "FLOPs spent: training, shadow passes, evaluations and failed seeds.");
}

/** Examples a second. */
export function speedChart({ metrics }: Story): string {
  const lines = [{ name: "speed", points: pointsOf(metrics, ({ imagesPerSecond }) => imagesPerSecond) }];
  const svg = lineChart({
    title: "Speed by step",
    x: "step",
    y: "examples a second",
    lines,
    reach: [0],
    height: 180,
  });
  return figure(svg, "Training examples a second.");
}

/** Lives of all seeds, stage by stage; null where there was none. */
export function livesChart(story: Story): string | null {
  const lives = livesOf(story);
  const end = Math.max(story.ticks.at(-1)?.step ?? 0, story.metrics.at(-1)?.step ?? 0);
  const stretches = lives.flatMap(({ seed, blueprint, spells }) =>
    spells.map(({ entered, until }): Stretch => ({
      row: `${seed} ${blueprint}`,
      from: entered.step,
      to: until ?? (entered.to === "PRUNED" ? entered.step + end / 40 : Math.max(end, entered.step)),
      color: stageColor(entered.to),
      label: entered.to.toLowerCase(),
      text: `${entered.to} from step ${entered.step} (${spaced(entered.reason)}): ${
        describeEvidence(entered.evidence)
      }`,
    }))
  );
  if (stretches.length === 0) return null;
  return figure(
    timeline("Lives of seeds by step", "step", stretches),
    "Each seed from its germination on, stage by stage.",
  );
}

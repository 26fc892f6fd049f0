/** The report of a run: one page. */
import type { RunNetwork } from "../app/inspect.ts";
import type { KernelReport } from "../app/kernel_profile.ts";
import { barChart } from "./charts.ts";
import { describeAction, describeEvidence, spaced } from "./event_lines.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatFlops,
  formatNumber,
  formatPercent,
} from "./format.ts";
import { graphSvg } from "./graph_svg.ts";
import { definitionList, escapeHtml, figure, htmlTable } from "./html.ts";
import type { Section } from "./page.ts";
import {
  accuracyChart,
  advantageChart,
  alphaChart,
  livesChart,
  lossChart,
  parameterChart,
  speedChart,
  spendingChart,
  type Told,
} from "./run_charts.ts";
import { livesOf, type Story } from "./story.ts";

/** What a report is made of. */
export interface RunPicture extends Told {
  readonly name: string;
  /** `config.json` and `run.json`. */
  readonly config: unknown;
  readonly record: RunRecord;
  /** Null where it could not be built. */
  readonly network: RunNetwork | null;
  readonly kernels: KernelReport | null;
}

/** What `run.json` says that a report shows. */
export interface RunRecord {
  readonly dataset?: { readonly name: string; readonly sha256: string };
  readonly adapter?: {
    readonly description: string;
    readonly backend: string;
    readonly vendor: string;
    readonly features: readonly string[];
  };
  readonly profile?: string;
  readonly tuned?: string | null;
  readonly unsafeGpu?: boolean;
  readonly versions?: Readonly<Record<string, string>>;
  readonly notices?: readonly string[];
}

function secondsOf({ started, metrics, ticks, finished }: Story): number {
  const times = [...metrics, ...ticks, ...finished ? [finished] : []].map(({ time }) => time);
  return started === null
    ? 0
    : Math.max(0, times.reduce((a, b) => Math.max(a, b), started.time) - started.time) / 1000;
}

/** `cifar10 · profile small · llvmpipe (native)`. */
export function subtitleOf({ story: { started } }: Pick<Told, "story">): string {
  return started === null
    ? "not begun"
    : `${started.dataset} · profile ${started.profile} · ${started.adapter}`;
}

function tiles(picture: RunPicture): string {
  const { story, network } = picture;
  const { started, finished, metrics, ticks } = story;
  const last = metrics.at(-1), lives = livesOf(story);
  const kept = lives.filter(({ spells }) => spells.at(-1)!.entered.to === "FOSSILIZED");
  const share = started && last ? formatPercent(Math.min(1, last.flops / started.budgetFlops)) : "-";
  const fossils = kept.map(({ slot, blueprint }) => ({ slot, blueprint }));
  const known: [string, string][] = [
    ["outcome", finished?.reason ?? "running"],
    ["steps", String(finished?.step ?? last?.step ?? 0)],
    ["of the FLOP budget", share],
    ...finished?.accuracy == null
      ? []
      : [["test accuracy", formatPercent(finished.accuracy)] as [string, string]],
    ...finished?.loss == null ? [] : [["test loss, nats", finished.loss.toFixed(4)] as [string, string]],
    ...finished?.loss == null && ticks.length > 0
      ? [["control loss, nats", Number(ticks.at(-1)!.controlLoss).toFixed(4)] as [string, string]]
      : [],
    ...network
      ? [[
        "parameters, host → grown",
        `${formatCount(network.sizeWith([]).params)} → ${formatCount(network.sizeWith(fossils).params)}`,
      ] as [string, string]]
      : [],
    ["seeds kept of those sown", `${kept.length} of ${lives.length}`],
    ["time", formatDuration(secondsOf(story))],
  ];
  return `<div class="tiles">${
    known.map(([name, value]) => `<div><b>${escapeHtml(value)}</b><span>${escapeHtml(name)}</span></div>`)
      .join("")
  }</div>`;
}

function overview(picture: RunPicture): Section {
  const notices = new Set([...picture.record.notices ?? [], ...picture.story.notices]);
  return {
    title: "Overview",
    html: tiles(picture) + [...notices].map((text) => `<p class="notice">${escapeHtml(text)}</p>`).join(""),
  };
}

function seeds({ story }: Told): Section {
  const lives = livesOf(story);
  if (lives.length === 0) return { title: "Seeds", html: "<p>No seed was germinated.</p>" };
  const tables = lives.map(({ seed, blueprint, spells }) =>
    `<h3>${escapeHtml(`${seed} ${blueprint}`)}</h3>` + htmlTable(
      ["tick", "step", "stage", "reason", "evidence"],
      spells.map(({ entered: { tick, step, from, to, reason, evidence } }) => [
        String(tick),
        String(step),
        `${from} → ${to}`,
        spaced(reason),
        describeEvidence(evidence),
      ]),
    )
  );
  const charts = [livesChart(story), alphaChart(story), advantageChart(story)].filter((chart) =>
    chart !== null
  );
  return { title: "Seeds", html: [...charts, ...tables].join("\n") };
}

function decisions({ story: { ticks, vetoes, rollbacks, people } }: Told): Section | null {
  const rows = [
    ...ticks.filter(({ decision }) => decision.action.kind !== "wait").map(({ tick, step, decision }) => ({
      step,
      cells: [String(tick), String(step), describeAction(decision.action), decision.why],
    })),
    ...vetoes.map(({ tick, step, action, reason, evidence }) => ({
      step,
      cells: [
        String(tick),
        String(step),
        `refused: ${describeAction(action)}`,
        `${spaced(reason)} ${describeEvidence(evidence)}`,
      ],
    })),
    ...people.map(({ tick, step, command, action }) => ({
      step,
      cells: [
        String(tick),
        String(step),
        action === null ? command : `${command}: ${describeAction(action)}`,
        "someone who watched",
      ],
    })),
    ...rollbacks.map(({ tick, step, restoredStep, reason }) => ({
      step,
      cells: [String(tick), String(step), `rolled back to step ${restoredStep}`, reason],
    })),
  ].sort((a, b) => a.step - b.step);
  if (rows.length === 0) return null;
  return {
    title: "Decisions",
    html: htmlTable(["tick", "step", "decision", "why"], rows.map(({ cells }) => cells)),
  };
}

function sizes({ story, network, baseline }: RunPicture): Section {
  const charts = network ? parameterChart(story, (lives) => network.sizeWith(lives)) : "";
  return { title: "Parameters and FLOPs", html: charts + spendingChart({ story, baseline }) };
}

function architecture({ network }: RunPicture): Section | null {
  if (network === null) return null;
  const { host, grown } = network;
  const draw = (svg: string) => svg.replace("<svg ", `<svg class="light" `);
  return {
    title: "Architecture",
    html: figure(draw(graphSvg(host, "host")), "The host, slots empty.") + figure(
      draw(graphSvg(grown)),
      "The network of the newest checkpoint; slots are framed by their stage.",
    ),
  };
}

/** The run beside one that never grew. */
function comparison({ name, story, baseline }: RunPicture): Section | null {
  if (baseline === null) return null;
  const row = (title: string, { metrics, ticks, finished }: Story) => [
    title,
    String(finished?.step ?? metrics.at(-1)?.step ?? 0),
    formatFlops(metrics.at(-1)?.flops ?? 0),
    ticks.length === 0 ? "-" : Number(ticks.at(-1)!.controlLoss).toFixed(4),
    finished?.loss == null ? "-" : finished.loss.toFixed(4),
    finished?.accuracy == null ? "-" : formatPercent(finished.accuracy),
  ];
  return {
    title: "Static baseline",
    html: `<p>${escapeHtml(baseline.name)} is the same run without growth.</p>` + htmlTable(
      ["run", "steps", "spent", "control loss", "test loss", "test accuracy"],
      [row(name, story), row(baseline.name, baseline.story)],
    ),
  };
}

const SHOWN_KERNELS = 16;

function kernels({ kernels: report }: RunPicture): Section | null {
  if (report === null || report.profiles.length === 0) return null;
  const parts = report.profiles.map(({ step, seeds, kernels }) => {
    const title = `Kernels of a training step, after step ${step}: ${["host", ...seeds].join(", ")}`;
    const longest = kernels.slice(0, SHOWN_KERNELS);
    const bars = longest.map(({ name, seconds }) => ({ name, value: seconds * 1e6 }));
    return figure(barChart({ title, x: "microseconds", bars }), title) + htmlTable(
      ["kernel", "count", "µs", "share", "GFLOP/s", "GB/s", "of peak"],
      longest.map(({ name, count, seconds, share, flops, bytes, ofPeak }) => [
        name,
        String(count),
        formatNumber(seconds * 1e6),
        formatPercent(share),
        formatNumber(flops / seconds / 1e9),
        formatNumber(bytes / seconds / 1e9),
        formatPercent(ofPeak),
      ]),
    );
  });
  return { title: "Kernels", html: parts.join("\n") };
}

function particulars({ config, record, story, network }: RunPicture): Section {
  const { dataset, adapter, profile, versions, tuned, unsafeGpu } = record;
  const saved = story.checkpoints.at(-1);
  const pairs: [string, string | undefined][] = [
    ["data set", dataset?.name],
    ["its SHA-256", dataset?.sha256],
    ["adapter", adapter && `${adapter.description} (${adapter.backend}, vendor ${adapter.vendor})`],
    ["features", adapter?.features.join(", ")],
    ["profile", profile],
    ["kernel choices", tuned ?? "the first that fits"],
    ["bounds checks", unsafeGpu ? "off" : "on"],
    [
      "versions",
      versions && Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", "),
    ],
    ["newest checkpoint", saved && `${saved.name}, ${formatBytes(saved.sizeBytes)}`],
    ["SHA-256 of its weights", saved?.weights],
    ["host", network ? `${network.sizeWith([]).params} parameters` : undefined],
  ];
  return {
    title: "Particulars",
    html: definitionList(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined)) +
      `<h3>Configuration</h3><pre>${escapeHtml(JSON.stringify(config, null, 2))}</pre>`,
  };
}

/** What a report shows, part by part; what a run has nothing of is left out. */
export function runSections(picture: RunPicture): Section[] {
  return [
    overview(picture),
    { title: "Loss", html: lossChart(picture) },
    { title: "Accuracy", html: accuracyChart(picture) },
    seeds(picture),
    sizes(picture),
    comparison(picture),
    decisions(picture),
    architecture(picture),
    { title: "Speed", html: speedChart(picture.story) },
    kernels(picture),
    particulars(picture),
  ].filter((section) => section !== null);
}

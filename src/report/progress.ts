/** What the progress line shows, kept up to date from events. */
import type { AnyEnvelope, Payloads } from "../contracts/events.ts";
import { formatDuration, formatNumber, formatPercent } from "./format.ts";

export interface Progress {
  started: Payloads["run.started"] | null;
  /** Time of the first reading after the start or the resume, with the FLOPs spent by then. */
  origin: { time: number; flops: number; step: number } | null;
  time: number;
  metrics: Payloads["step.metrics"] | null;
  slots: Pick<
    Payloads["tick.report"]["slots"][number],
    "slot" | "stage" | "blueprint" | "alpha" | "advantage"
  >[];
}

export function newProgress(): Progress {
  return { started: null, origin: null, time: 0, metrics: null, slots: [] };
}

/** Takes one event in. */
export function updateProgress(progress: Progress, event: AnyEnvelope): void {
  progress.time = event.time;
  if (event.topic === "run.started") progress.started = event.payload;
  if (event.topic === "tick.report") progress.slots = event.payload.slots;
  if (event.topic === "step.metrics") {
    const { flops, step } = event.payload;
    progress.metrics = event.payload;
    progress.origin ??= { time: event.time, flops, step };
  }
  if (event.topic === "seed.edge") {
    const { slot, to: stage, blueprint } = event.payload;
    const rest = progress.slots.filter((other) => other.slot !== slot);
    const old = progress.slots.find((other) => other.slot === slot);
    const updated = { slot, stage, blueprint, alpha: old?.alpha ?? 0, advantage: old?.advantage ?? null };
    progress.slots = [...rest, updated].sort((a, b) => a.slot.localeCompare(b.slot));
  }
}

/** Share of the run that is done, 0 to 1, by FLOPs or by steps, whichever ends it first; null before any reading. */
function shareDone({ started, metrics }: Progress): number | null {
  if (started === null || metrics === null) return null;
  const bySteps = started.maxSteps === null ? 0 : metrics.step / started.maxSteps;
  return Math.min(1, Math.max(metrics.flops / started.budgetFlops, bySteps));
}

/** Seconds left at the pace so far; null where there is no pace yet. */
function secondsLeft(progress: Progress): number | null {
  const { started, origin, metrics, time } = progress;
  const share = shareDone(progress);
  if (started === null || origin === null || metrics === null || share === null) return null;
  const before =
    shareDone({ ...progress, metrics: { ...metrics, flops: origin.flops, step: origin.step } }) ?? 0;
  return share > before ? (time - origin.time) / 1000 * (1 - share) / (share - before) : null;
}

const SHOWN = new Set(["GERMINATED", "TRAINING", "BLENDING", "HOLDING", "FOSSILIZED"]);

function describeSlot(slot: Progress["slots"][number]): string {
  if (!SHOWN.has(slot.stage)) {
    return slot.stage === "DORMANT" ? "" : `${slot.slot} ${slot.stage.toLowerCase()}`;
  }
  const alpha = slot.stage === "FOSSILIZED" ? "" : ` α ${slot.alpha.toFixed(2)}`;
  return `${slot.slot} ${slot.blueprint} ${slot.stage.toLowerCase()}${alpha}`;
}

/** One line: data set, step, loss, accuracy, images/s, time left, slots that are not empty with stage and α. */
export function progressLine(progress: Progress): string {
  const { started, metrics } = progress;
  if (started === null) return "";
  if (metrics === null) return `${started.dataset} · compiling`;
  const share = shareDone(progress) ?? 0;
  const left = secondsLeft(progress);
  return [
    started.dataset,
    `step ${metrics.step} (${formatPercent(share)})`,
    `loss ${metrics.loss.toFixed(3)}`,
    `accuracy ${formatPercent(metrics.accuracy)}`,
    `${formatNumber(Math.round(metrics.imagesPerSecond))} images/s`,
    left === null ? "" : `ETA ${formatDuration(left)}`,
    ...progress.slots.map(describeSlot),
  ].filter((part) => part !== "").join(" · ");
}

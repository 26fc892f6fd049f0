/** Events as the lines that a terminal shows. */
import type { Action } from "../contracts/control.ts";
import type { Payloads, Topic } from "../contracts/events.ts";
import { formatFlops, formatNumber } from "./format.ts";

/** An action in words. */
export function describeAction(action: Action): string {
  if (action.kind === "wait") return "wait";
  return action.kind === "germinate"
    ? `germinate ${action.blueprint} in ${action.slot}`
    : `${action.kind} ${action.slot}`;
}

/** `ticksInStage` as `ticks in stage`, `too_late` as `too late`. */
export const spaced = (name: string) =>
  name.replace(/[a-z][A-Z]/g, ([before, after]) => `${before} ${after.toLowerCase()}`).replaceAll("_", " ");

/**
 * `advantage 0.031 ± 0.008, params 275 of 492`: what a decision rested on. A standard error (`se`, `...Se`) and a limit
 * (`...Limit`) stand with the number before them.
 */
export function describeEvidence(evidence: Payloads["seed.edge"]["evidence"]): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(evidence)) {
    const shown = typeof value === "number" ? formatNumber(value) : value && spaced(String(value));
    const joint = /^se$|Se$/.test(name) ? "±" : /.Limit$/.test(name) ? "of" : null;
    if (joint === null) parts.push(`${spaced(name)} ${shown ?? "not measured"}`);
    else if (shown !== null) parts.push(`${parts.pop()} ${joint} ${shown}`);
  }
  return parts.join(", ");
}

function at({ tick, step }: { tick: number; step: number }): string {
  return `tick ${tick}, step ${step}:`;
}

const COMMANDS = {
  pause: "hold at the next tick",
  resume: "go on",
  step: "one tick",
  force: "at this tick,",
  veto: "never",
  allow: "no longer forbidden:",
} as const;

const LEVELS = { info: "note", warning: "warning", error: "error" } as const;

/** What each topic prints; an empty list where only the progress line shows it. */
const lines: { [T in Topic]: (payload: Payloads[T]) => string[] } = {
  "run.started": (p) => {
    const what = p.dryRun ? "dry run" : p.resumedAt > 0 ? `resuming at step ${p.resumedAt}` : "training";
    const run = p.dryRun ? "" : ` · run ${p.run}`;
    const budget = `budget ${formatFlops(p.budgetFlops)}`;
    return [`${what}: ${p.dataset} · profile ${p.profile} · ${p.adapter} · ${budget}${run}`];
  },
  "run.finished": () => [],
  "step.metrics": () => [],
  "tick.report": (p) => {
    const warnings = p.decision.warnings.map((text) => `${at(p)} warning: ${text}`);
    const { action, why } = p.decision;
    return action.kind === "wait" ? warnings : [`${at(p)} ${describeAction(action)}: ${why}`, ...warnings];
  },
  "seed.edge": (p) => {
    // Where a seed comes from stands before the arrow.
    const { stage: _, ...rest } = p.evidence;
    const evidence = describeEvidence(rest);
    const seed = p.blueprint === null ? p.seed : `${p.seed} ${p.blueprint}`;
    return [
      `${at(p)} ${seed} ${p.from} → ${p.to} (${spaced(p.reason)})${evidence === "" ? "" : `: ${evidence}`}`,
    ];
  },
  "action.vetoed": (p) => {
    const evidence = describeEvidence(p.evidence);
    return [
      `${at(p)} refused to ${describeAction(p.action)}: ${spaced(p.reason)}${
        evidence === "" ? "" : ` (${evidence})`
      }`,
    ];
  },
  "governor.rollback": (p) => [
    `${at(p)} rolled back to step ${p.restoredStep}: ${p.reason}` +
    `${p.slots.length === 0 ? "" : `; embargo on ${p.slots.join(", ")}`} (rollback ${p.rollbacks})`,
  ],
  "person.decided": (p) => [
    `${at(p)} someone who watches: ${COMMANDS[p.command]}${
      p.action === null ? "" : ` ${describeAction(p.action)}`
    }`,
  ],
  "checkpoint.saved": () => [],
  "notice": (p) => [`${LEVELS[p.level]}: ${p.text}`],
};

/** The lines that an event prints. */
export function eventLines<T extends Topic>(topic: T, payload: Payloads[T]): string[] {
  return lines[topic](payload);
}

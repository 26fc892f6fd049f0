import type {
  Action,
  Controller,
  Decision,
  HeuristicConfig,
  Measurement,
  Observation,
  SlotObservation,
} from "../../contracts/control.ts";
import { LIVE_STAGES } from "../../contracts/lifecycle.ts";
import { findLegal, wait } from "../actions.ts";
import { emptyLedger, type Ledger, updateLedger, upperBounds } from "../ledger.ts";
import { readState } from "../state.ts";

type Germination = Extract<Action, { kind: "germinate" }>;
type Rule = (
  observation: Observation,
  config: HeuristicConfig,
  ledger: Ledger,
) => Omit<Decision, "warnings"> | null;

/** The first rule with something to do decides. */
const rules: readonly Rule[] = [fossilize, advance, prune, germinate];

/**
 * Rules of thumb: keep what has proved itself, advance what passes its gate, prune what does not pay in time, and
 * germinate early in the run when the loss stalls or at regular intervals.
 */
export function createHeuristic(config: HeuristicConfig): Controller {
  let ledger = emptyLedger();
  return {
    kind: "heuristic",
    decide(observation) {
      updateLedger(ledger, observation, config);
      for (const rule of rules) {
        const decision = rule(observation, config, ledger);
        if (decision !== null) return { ...decision, warnings: [] };
      }
      return wait(whyNoGermination(observation, config, ledger));
    },
    save: () => structuredClone({ kind: "heuristic", ledger }),
    restore: (saved) => void (ledger = structuredClone(readState("heuristic", saved).ledger)),
  };
}

function fossilize(observation: Observation, config: HeuristicConfig): ReturnType<Rule> {
  const { slots, legal } = observation;
  if (config.keep === "best") return keepBest(observation, config);
  for (const slot of slots) {
    const action = findLegal(legal, { kind: "fossilize", slot: slot.slot });
    if (action !== null) {
      return { action, why: `${slot.slot} has earned its place: ${evidence(slot, config)}` };
    }
  }
  return null;
}

/** Once every seed that lives is measured in HOLDING, the one whose removal costs most stays; the others go, one a tick. */
function keepBest({ slots, legal }: Observation, config: HeuristicConfig): ReturnType<Rule> {
  const live = slots.filter(({ stage }) => LIVE_STAGES.includes(stage));
  const ready = live.filter(({ stage, removal }) => stage === "HOLDING" && removal !== null);
  if (live.length === 0 || ready.length < live.length) return null;
  const [best, ...others] = ready.toSorted((a, b) => b.removal!.mean - a.removal!.mean);
  for (const slot of others) {
    const action = findLegal(legal, { kind: "prune", slot: slot.slot });
    if (action) {
      return { action, why: `${best.slot} is worth more than ${slot.slot}: ${evidence(slot, config)}` };
    }
  }
  const action = others.length === 0 ? findLegal(legal, { kind: "fossilize", slot: best.slot }) : null;
  return action && { action, why: `${best.slot} is the best of its litter: ${evidence(best, config)}` };
}

function advance({ slots, legal }: Observation, config: HeuristicConfig): ReturnType<Rule> {
  for (const slot of slots) {
    const action = findLegal(legal, { kind: "advance", slot: slot.slot });
    if (action !== null) return { action, why: `${slot.slot} passes its gate: ${evidence(slot, config)}` };
  }
  return null;
}

function prune({ slots, legal }: Observation, config: HeuristicConfig): ReturnType<Rule> {
  for (const slot of slots) {
    // Blending has its own gate; its verdict comes with full α.
    if (slot.stage !== "TRAINING" && slot.stage !== "HOLDING") continue;
    const action = findLegal(legal, { kind: "prune", slot: slot.slot });
    const bound = lowerBound(proofOf(slot), config);
    if (action === null || slot.ticksInStage < config.pruneAfter || (bound !== null && bound > 0)) continue;
    const why = `${slot.slot} does not pay after ${slot.ticksInStage} ticks of ${slot.stage}: ${
      evidence(slot, config)
    }`;
    return { action, why };
  }
  return null;
}

function germinate(observation: Observation, config: HeuristicConfig, ledger: Ledger): ReturnType<Rule> {
  const germinations = observation.legal.filter((action) => action.kind === "germinate");
  const cause = dueBecause(observation, config, ledger);
  if (germinations.length === 0 || cause === null) return null;
  const slot = bestSlot(germinations, observation, ledger);
  const here = germinations.filter((action) => action.slot === slot.name);
  const { action, why } = bestBlueprint(here, config, ledger);
  return { action, why: `${cause}; ${slot.why}; ${why}` };
}

/** Why it is time to germinate; null when it is not. */
function dueBecause(observation: Observation, config: HeuristicConfig, ledger: Ledger): string | null {
  const { tick, progress } = observation;
  if (held(observation, config) !== null) return null;
  if (progress < config.germinateFrom || progress > config.germinateUntil) return null;
  if (ledger.lastGermination === null) return `progress ${percent(progress)} and nothing germinated yet`;
  const since = tick - ledger.lastGermination;
  if (since >= config.everyTicks) return `${since} ticks since the last germination`;
  const improvement = improvementOver(config.plateauTicks, observation.controlHistory);
  return since >= config.plateauTicks && improvement !== null && improvement < config.plateauImprovement
    ? `control loss improved ${percent(improvement)} in ${config.plateauTicks} ticks`
    : null;
}

/** What holds a germination back whose time has come; null where nothing does. */
function held(observation: Observation, { keep, largestGap }: HeuristicConfig): string | null {
  // A litter is judged as a whole: none is added while some of it may stay.
  if (keep === "best" && observation.slots.some(({ stage }) => stage === "HOLDING")) {
    return "a litter is being judged";
  }
  const gap = gapOf(observation);
  return gap > (largestGap ?? Infinity) ? `training loss is ${percent(gap)} below control loss` : null;
}

function whyNoGermination(observation: Observation, config: HeuristicConfig, ledger: Ledger): string {
  const { progress, legal } = observation;
  if (progress < config.germinateFrom) {
    return `progress ${percent(progress)} is before the window (${percent(config.germinateFrom)})`;
  }
  if (progress > config.germinateUntil) {
    return `progress ${percent(progress)} is after the window (${percent(config.germinateUntil)})`;
  }
  if (!legal.some((action) => action.kind === "germinate")) return "no germination is legal";
  const holds = held(observation, config);
  if (holds !== null) return holds;
  const improvement = improvementOver(config.plateauTicks, observation.controlHistory);
  const loss = improvement === null
    ? "control loss too young to judge"
    : `control loss improving, ${percent(improvement)}`;
  return `${loss}; ${observation.tick - ledger.lastGermination!} ticks since the last germination`;
}

/** Control loss less training loss, as a share of the control loss; −∞ where one is not known. */
function gapOf({ trainLoss, controlLoss }: Pick<Observation, "trainLoss" | "controlLoss">): number {
  return trainLoss === null || controlLoss === null ? -Infinity : (controlLoss - trainLoss) / controlLoss;
}

/** (old − new) / |old| over the last `ticks` ticks; null with fewer. */
function improvementOver(ticks: number, history: readonly number[]): number | null {
  if (history.length <= ticks) return null;
  const before = history[history.length - 1 - ticks], after = history[history.length - 1];
  return before === 0 ? null : (before - after) / Math.abs(before);
}

/** The free slot with the highest gradient norm per host parameter; where none is measured, the one tried least. */
function bestSlot(
  germinations: Germination[],
  { slots }: Observation,
  ledger: Ledger,
): { name: string; why: string } {
  const free = slots.filter((slot) => germinations.some((action) => action.slot === slot.slot));
  const measured = free.filter((slot) => Number.isFinite(slot.hostGradNorm));
  if (measured.length > 0) {
    const merit = (slot: SlotObservation) => slot.hostGradNorm! / Math.max(1, slot.hostParams);
    const best = measured.reduce((a, b) => merit(b) > merit(a) ? b : a);
    return {
      name: best.slot,
      why: `${best.slot} has the highest gradient norm per parameter, ${number(merit(best))}`,
    };
  }
  const tries = (slot: SlotObservation) => ledger.tries[slot.slot] ?? 0;
  const best = free.reduce((a, b) => tries(b) < tries(a) ? b : a);
  return {
    name: best.slot,
    why: `${best.slot} was tried least (${tries(best)} times; no gradient is measured)`,
  };
}

function bestBlueprint(
  here: Germination[],
  config: HeuristicConfig,
  ledger: Ledger,
): { action: Action; why: string } {
  const rank = (action: Germination) => {
    const named = config.order.indexOf(action.blueprint);
    return named < 0 ? config.order.length : named;
  };
  const ordered = here.map((action, i) => ({ action, i }))
    .sort((a, b) => rank(a.action) - rank(b.action) || a.i - b.i).map(({ action }) => action);
  const bounds = upperBounds(ledger, ordered.map((action) => action.blueprint), config);
  const best = bounds.indexOf(Math.max(...bounds));
  return {
    action: ordered[best],
    why: `${ordered[best].blueprint} has the highest upper bound of advantage less rent, ${
      number(bounds[best])
    }`,
  };
}

/** What a seed has to prove in its stage: advantage in shadow, removal cost once blended. */
function proofOf(slot: SlotObservation): Measurement | null {
  return slot.stage === "HOLDING" ? slot.removal : slot.advantage;
}

function lowerBound(measured: Measurement | null, config: HeuristicConfig): number | null {
  return measured === null ? null : measured.mean - config.confidence * measured.se;
}

function evidence(slot: SlotObservation, config: HeuristicConfig): string {
  const name = slot.stage === "HOLDING" ? "removal cost" : "advantage";
  const proof = proofOf(slot);
  if (proof === null) return `${name} not measured`;
  return `${name} ${number(proof.mean)} ± ${number(proof.se)} (n = ${proof.n}), lower bound ${
    number(lowerBound(proof, config)!)
  }`;
}

const number = (value: number) => Number(value.toPrecision(3)).toString();
const percent = (value: number) => `${Number((100 * value).toFixed(2))}%`;

import type { Stage } from "../contracts/control.ts";
import type { Edge, EdgeReason } from "../contracts/lifecycle.ts";
import { g1, g3 } from "./gates.ts";
import { blendOut, isLive, type Machine, moves, OUT, rampAt, take, trainingVerdict } from "./machine.ts";
import { anchorOf, setAnchor, takeIn } from "./readings.ts";
import type { Clock, TickMeasurements } from "../contracts/growth.ts";

/** Ticks that a guarded ramp may wait in all, and how far above its start the control loss may be for it to move. */
const GUARD_TICKS = 5;
const GUARD_TOLERANCE = 0.01;

type Automatic = (machine: Machine, row: number, m: TickMeasurements) => Edge[];

/** Takes the edge to `to` where the stage has lasted `limit` ticks. */
function timeout(
  machine: Machine,
  row: number,
  to: Stage,
  reason: EdgeReason,
  limit: number,
  clock: Clock,
): Edge[] {
  const ticks = machine.table.ticksInStage[row];
  return ticks >= limit ? [take(machine, row, to, reason, { ticks }, clock)] : [];
}

function germinate(machine: Machine, row: number, m: TickMeasurements): Edge[] {
  const { options, table } = machine;
  const measured = m.slots[table.names[row]];
  const ticksInStage = table.ticksInStage[row];
  const { pass, reason, evidence } = g1({
    ticksInStage,
    ready: table.ready[row] === 1,
    parameters: measured?.parameters ?? null,
    declared: table.params[row],
    updates: measured?.updates ?? null,
  });
  if (pass) return [take(machine, row, "TRAINING", "compiled", evidence, m)];
  if (ticksInStage < options.gates.compileTicks) return [];
  return [take(machine, row, "PRUNED", "compile_timeout", { ...evidence, failed: reason }, m)];
}

function train(machine: Machine, row: number, m: TickMeasurements): Edge[] {
  const { options, table } = machine;
  const gradNorm = table.gradNorm.get(row);
  if (gradNorm !== null && !Number.isFinite(gradNorm)) {
    return [take(machine, row, "PRUNED", "not_finite", { gradNorm: String(gradNorm) }, m)];
  }
  if (table.ticksInStage[row] < options.gates.trainingLimit) return [];
  const { pass, reason, evidence } = trainingVerdict(machine, row);
  return pass
    ? [take(machine, row, "BLENDING", "gate", evidence, m)]
    : blendOut(machine, row, "no_benefit", { ...evidence, failed: reason }, m);
}

function blend(machine: Machine, row: number, m: TickMeasurements): Edge[] {
  const { options, table } = machine;
  const { gates, alpha } = options;
  if (!table.ready[row]) {
    const ticks = table.ticksInStage[row];
    return ticks >= gates.compileTicks ? blendOut(machine, row, "compile_timeout", { ticks }, m) : [];
  }
  const anchor = anchorOf(table, row);
  if (table.alpha[row] === 1) {
    const { pass, evidence } = g3({ alpha: 1, controlLoss: m.controlLoss, anchor }, gates);
    if (pass) return [take(machine, row, "HOLDING", "blended", evidence, m)];
    if (table.rampElapsed[row] === alpha.ticks) table.waited[row] = 0; // guarded ramps have waited before
    return ++table.waited[row] > gates.freezeTicks ? blendOut(machine, row, "regression", evidence, m) : [];
  }
  if (alpha.schedule !== "guarded") return [];
  const limit = anchor && anchor.mean * (1 + GUARD_TOLERANCE);
  const safe = limit !== null && m.controlLoss !== null && m.controlLoss.mean <= limit;
  table.held[row] = safe ? 0 : 1;
  if (safe || ++table.waited[row] <= GUARD_TICKS) return [];
  return blendOut(machine, row, "regression", { controlLoss: m.controlLoss?.mean ?? null, limit }, m);
}

/** What each stage does by itself at the end of a tick. */
const automatic: Record<Stage, Automatic> = {
  DORMANT: () => [],
  GERMINATED: germinate,
  TRAINING: train,
  BLENDING: blend,
  HOLDING(machine, row, m) {
    const ticks = machine.table.ticksInStage[row];
    if (ticks < machine.options.gates.holdingLimit) return [];
    return blendOut(machine, row, "holding_timeout", { ticks }, m);
  },
  FOSSILIZED: () => [],
  PRUNED: (machine, row, m) =>
    m.slots[machine.table.names[row]]?.released ? [take(machine, row, "EMBARGOED", "released", {}, m)] : [],
  EMBARGOED: (machine, row, m) =>
    timeout(machine, row, "RESETTING", "elapsed", machine.options.gates.embargoTicks, m),
  RESETTING: (machine, row, m) =>
    timeout(machine, row, "DORMANT", "elapsed", machine.options.gates.resettingTicks, m),
};

/** Ends a tick for one slot. */
export function tickSlot(machine: Machine, row: number, m: TickMeasurements): Edge[] {
  const { options, table } = machine;
  const measured = m.slots[table.names[row]];
  table.ticksInStage[row]++;
  if (isLive(machine, row)) table.age[row]++;
  if (table.embargo[row] > 0) table.embargo[row]--;
  takeIn(table, row, measured, options.gates.confidence);
  if (moves(machine, row)) table.alpha[row] = rampAt(machine, row, ++table.rampElapsed[row]);
  const doom = table.doom[row];
  if (doom && table.ramp[row] === OUT) {
    return table.alpha[row] === 0 ? [take(machine, row, "PRUNED", doom.reason, doom.evidence, m)] : [];
  }
  if (!table.ready[row] && measured?.ready) {
    table.ready[row] = 1;
    // α has not moved in this tick, so this is the loss from which the ramp starts.
    if (table.stageOf(row) === "BLENDING") setAnchor(table, row, m.controlLoss);
  }
  return automatic[table.stageOf(row)](machine, row, m);
}

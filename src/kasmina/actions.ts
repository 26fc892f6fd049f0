import type { Action } from "../contracts/control.ts";
import type { Edge, Evidence } from "../contracts/lifecycle.ts";
import { g0, g4, type Verdict, verdict } from "./gates.ts";
import { blendOut, isLive, type Machine, OUT, take, trainingVerdict } from "./machine.ts";
import { reading, removalOf, removalTrend } from "./readings.ts";
import type { ActionContext, Clock } from "../contracts/growth.ts";

/** An action on a slot. */
export type SlotAction = Exclude<Action, { kind: "wait" }>;

interface Rule<A> {
  verdict(machine: Machine, row: number, action: A, context: ActionContext): Verdict;
  carryOut(machine: Machine, row: number, action: A, evidence: Evidence, clock: Clock): Edge[];
}

function germinationVerdict(
  machine: Machine,
  row: number,
  action: Extract<SlotAction, { kind: "germinate" }>,
  { ticksLeft, governor }: ActionContext,
): Verdict {
  const { options, table } = machine;
  const total = (column: Float64Array) => column.reduce((sum, value) => sum + value, 0);
  return g0({
    stage: table.stageOf(row),
    embargo: table.embargo[row],
    live: table.names.filter((_, other) => isLive(machine, other)).length,
    maxLive: options.maxLive,
    host: options.host,
    grown: { params: total(table.params), flops: total(table.flops) },
    paramsBudget: options.paramsBudget,
    flopsBudget: options.flopsBudget,
    fit: options.fit(action.blueprint, action.slot),
    ticksLeft,
    governor,
  }, options.gates);
}

function pruneVerdict(machine: Machine, row: number): Verdict {
  const { options, table } = machine;
  const stage = table.stageOf(row), age = table.age[row];
  const advantage = reading(table, row, "advantage"), removal = reading(table, row, "removal");
  return verdict([
    ["wrong_stage", isLive(machine, row) && stage !== "GERMINATED"],
    ["blending_out", table.ramp[row] !== OUT],
    ["too_young", age >= options.gates.pruneAge],
  ], {
    stage,
    age,
    alpha: table.alpha[row],
    ...(advantage && { advantage: advantage.mean, se: advantage.se }),
    ...(removal && { removalCost: removal.mean, removalSe: removal.se }),
  });
}

function fossilVerdict({ options, table }: Machine, row: number): Verdict {
  const verdict = g4({
    stage: table.stageOf(row),
    ticksInStage: table.ticksInStage[row],
    removal: removalOf(table, row),
    removalPasses: table.removalPasses[row],
    trend: removalTrend(table, row),
  }, options.gates);
  return table.ramp[row] === OUT ? { ...verdict, pass: false, reason: "blending_out" } : verdict;
}

const rules: { [K in SlotAction["kind"]]: Rule<Extract<SlotAction, { kind: K }>> } = {
  germinate: {
    verdict: germinationVerdict,
    carryOut(machine, row, { slot, blueprint }, evidence, clock) {
      const { options, table } = machine;
      const fit = options.fit(blueprint, slot);
      table.generation[row]++;
      table.blueprint[row] = blueprint;
      table.params[row] = fit.fits ? fit.parameters : 0;
      table.flops[row] = fit.fits ? fit.flops : 0;
      return [take(machine, row, "GERMINATED", "action", evidence, clock)];
    },
  },
  advance: {
    verdict: trainingVerdict,
    carryOut: (machine, row, _, evidence, clock) => [
      take(machine, row, "BLENDING", "action", evidence, clock),
    ],
  },
  prune: {
    verdict: pruneVerdict,
    carryOut: (machine, row, _, evidence, clock) => blendOut(machine, row, "action", evidence, clock),
  },
  fossilize: {
    verdict: fossilVerdict,
    carryOut: (machine, row, _, evidence, clock) => [
      take(machine, row, "FOSSILIZED", "action", evidence, clock),
    ],
  },
};

// The compiler cannot follow that the rule found under an action's kind takes that action.
const ruleOf = (action: SlotAction) => rules[action.kind] as Rule<SlotAction>;

/** Whether an action is legal now, and on what grounds. */
export function verdictOn(machine: Machine, action: SlotAction, context: ActionContext): Verdict {
  const row = machine.table.names.indexOf(action.slot);
  if (row < 0) return { pass: false, reason: "unknown_slot", evidence: { slot: action.slot } };
  return ruleOf(action).verdict(machine, row, action, context);
}

/** Does what `verdictOn` allowed. */
export function carryOut(machine: Machine, action: SlotAction, evidence: Evidence, clock: Clock): Edge[] {
  return ruleOf(action).carryOut(machine, machine.table.names.indexOf(action.slot), action, evidence, clock);
}

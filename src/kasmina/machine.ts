import type { Stage } from "../contracts/control.ts";
import {
  type Edge,
  type EdgeReason,
  EDGES,
  type Evidence,
  LIVE_STAGES,
  STAGES,
} from "../contracts/lifecycle.ts";
import { rampAlpha } from "./alpha.ts";
import { g2, type Verdict } from "./gates.ts";
import { forgetRemoval, reading } from "./readings.ts";
import { RAMPS } from "./slot_record.ts";
import type { SlotTable } from "./slot_table.ts";
import type { Clock } from "../contracts/growth.ts";
import type { KasminaOptions } from "./types.ts";

/** The slots and their rules, as the parts of the lifecycle share them; a slot is a row. */
export interface Machine {
  readonly options: KasminaOptions;
  readonly table: SlotTable;
}

export const [NONE, IN, OUT] = ["none", "in", "out"].map((ramp) => RAMPS.findIndex((name) => name === ramp));

export function isLive({ table }: Machine, row: number): boolean {
  return LIVE_STAGES.includes(table.stageOf(row));
}

/** `slot/generation`. */
export function seedName({ table }: Machine, row: number): string {
  return `${table.names[row]}/${table.generation[row]}`;
}

/** Moves a slot along an edge and returns its record. */
export function take(
  machine: Machine,
  row: number,
  to: Stage,
  reason: EdgeReason,
  evidence: Evidence,
  { tick, step }: Clock,
): Edge {
  const { table } = machine;
  const from = table.stageOf(row);
  if (!EDGES[from].includes(to)) throw new Error(`internal: the lifecycle has no edge ${from} to ${to}`);
  const [slot, seed, blueprint] = [table.names[row], seedName(machine, row), table.blueprint[row]];
  table.stage[row] = STAGES.indexOf(to);
  table.ticksInStage[row] = 0;
  entering[to]?.(machine, row);
  return { tick, step, slot, seed, blueprint, from, to, reason, evidence };
}

/** What is so from the first moment in a stage. */
const entering: Partial<Record<Stage, (machine: Machine, row: number) => void>> = {
  TRAINING({ options, table }, row) {
    if (options.fromBirth) table.alpha[row] = 1;
  },
  BLENDING({ options, table }, row) {
    table.ready[row] = 0;
    startRamp(table, row, IN);
    if (options.fromBirth) table.rampElapsed[row] = options.alpha.ticks;
  },
  HOLDING({ table }, row) {
    table.ramp[row] = NONE;
    forgetRemoval(table, row);
  },
  PRUNED({ table }, row) {
    table.alpha[row] = 0;
    table.ramp[row] = NONE;
    table.errors[row]++;
  },
  EMBARGOED({ table }, row) {
    table.params[row] = 0;
    table.flops[row] = 0;
  },
  DORMANT: ({ table }, row) => table.clear(row),
};

function startRamp(table: SlotTable, row: number, direction: number): void {
  table.ramp[row] = direction;
  table.rampFrom[row] = table.alpha[row];
  table.rampElapsed[row] = 0;
  table.held[row] = 0;
  table.waited[row] = 0;
}

/** Prunes now where α is 0; else begins the ramp that ends in the prune. */
export function blendOut(
  machine: Machine,
  row: number,
  reason: EdgeReason,
  evidence: Evidence,
  clock: Clock,
): Edge[] {
  const { table } = machine;
  if (table.alpha[row] === 0) return [take(machine, row, "PRUNED", reason, evidence, clock)];
  table.doom[row] = { reason, evidence };
  startRamp(table, row, OUT);
  return [];
}

/** Whether α moves in the running tick. */
export function moves({ table }: Machine, row: number): boolean {
  const free = table.ready[row] === 1 && table.held[row] === 0;
  return table.ramp[row] === OUT || (table.ramp[row] === IN && free);
}

/** α at `elapsed` ticks of the ramp that is under way. */
export function rampAt({ options, table }: Machine, row: number, elapsed: number): number {
  const { schedule, ticks } = options.alpha;
  const ramp = table.ramp[row] === IN
    ? { schedule, direction: "in" as const, from: 0, ticks }
    : { schedule, direction: "out" as const, from: table.rampFrom[row], ticks: options.gates.blendOutTicks };
  return rampAlpha(ramp, elapsed);
}

/** G2 on what is known of a slot now. */
export function trainingVerdict({ options, table }: Machine, row: number): Verdict {
  return g2({
    stage: table.stageOf(row),
    ticksInStage: table.ticksInStage[row],
    gradNorm: table.gradNorm.get(row),
    hostGradNorm: table.hostGradNorm.get(row),
    advantage: reading(table, row, "advantage"),
  }, options.gates);
}

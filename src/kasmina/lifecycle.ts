import { carryOut, verdictOn } from "./actions.ts";
import { isLive, type Machine, moves, OUT, rampAt, seedName, take } from "./machine.ts";
import { HEALTH, TIMES } from "../contracts/health.ts";
import { reading, removalOf } from "./readings.ts";
import { slotTable } from "./slot_table.ts";
import { statisticsOf } from "./trend.ts";
import { tickSlot } from "./tick.ts";
import type { Kasmina, KasminaOptions } from "./types.ts";
import type { SlotObservation } from "../contracts/control.ts";

function observe({ options, table }: Machine, row: number): SlotObservation {
  const stage = table.stageOf(row);
  return {
    slot: table.names[row],
    stage,
    blueprint: table.blueprint[row],
    alpha: table.alpha[row],
    ticksInStage: table.ticksInStage[row],
    age: table.age[row],
    gradNorm: table.gradNorm.get(row),
    hostGradNorm: table.hostGradNorm.get(row),
    hostParams: options.slots[row].hostParams,
    advantage: reading(table, row, "advantage"),
    removal: removalOf(table, row),
    params: table.params[row],
    flops: table.flops[row],
    embargoTicks: stage === "EMBARGOED"
      ? Math.max(0, options.gates.embargoTicks - table.ticksInStage[row])
      : table.embargo[row],
    health: statisticsOf(table, HEALTH, row),
  };
}

/**
 * Runs the lifecycle of all slots of a network. It decides from what it is told and touches no device: the same calls
 * give the same edges.
 */
export function createKasmina(options: KasminaOptions): Kasmina {
  const table = slotTable(options.slots.map((slot) => slot.name));
  const machine: Machine = { options, table };
  const rows = table.names.map((_, row) => row);

  function rowOf(slot: string): number {
    const row = table.names.indexOf(slot);
    if (row < 0) throw new Error(`kasmina: want a slot out of ${table.names.join(", ")}, got ${slot}`);
    return row;
  }

  return {
    table,
    check(action, context) {
      if (action.kind === "wait") return null;
      const { reason, evidence } = verdictOn(machine, action, context);
      return reason && { reason, evidence };
    },
    apply(action, context) {
      if (action.kind === "wait") return [];
      const { reason, evidence } = verdictOn(machine, action, context);
      if (reason) throw new Error(`kasmina: cannot ${action.kind} in ${action.slot}: ${reason}; check first`);
      return carryOut(machine, action, evidence, context);
    },
    onTick: (measurements) => rows.flatMap((row) => tickSlot(machine, row, measurements)),
    condemn(slot, clock, why) {
      const row = rowOf(slot);
      if (table.stageOf(row) === "DORMANT") table.embargo[row] = options.gates.embargoTicks;
      if (!isLive(machine, row)) return [];
      return [take(machine, row, "PRUNED", "governor", { why, alpha: table.alpha[row] }, clock)];
    },
    alphaAt(slot, fraction) {
      const row = rowOf(slot);
      return moves(machine, row) ? rampAt(machine, row, table.rampElapsed[row] + fraction) : table.alpha[row];
    },
    stageOf: (slot) => table.stageOf(rowOf(slot)),
    seedOf: (slot) => table.blueprint[rowOf(slot)] === null ? null : seedName(machine, rowOf(slot)),
    frozen: (slot) => table.ramp[rowOf(slot)] === OUT,
    timesOf: (slot) => statisticsOf(table, TIMES, rowOf(slot)),
    observe: () => rows.map((row) => observe(machine, row)),
    toJSON: () => table.toJSON(),
    restore: (json) => table.restore(json),
  };
}

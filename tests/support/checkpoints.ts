import { RunConfig } from "../../src/contracts/config.ts";
import { slotTable } from "../../src/kasmina/slot_table.ts";
import { createController } from "../../src/tamiyo/mod.ts";
import { Governor } from "../../src/tolaria/governor.ts";
import { Ledger } from "../../src/tolaria/ledger.ts";
import type { Topology, TrainerState } from "../../src/tolaria/mod.ts";
import { freshProgress } from "../../src/tolaria/state.ts";
import { tinyConfig } from "./session.ts";

/** The state of a run with these slots, as its parts themselves save it. */
export function trainerState(step: number, slots: readonly string[], running: Topology = {}): TrainerState {
  const { governor, controller }: RunConfig = tinyConfig("points");
  return {
    progress: { ...freshProgress(), step, tick: 2, stepInTick: 1, seen: step, running },
    unread: { waiting: [], later: [] },
    ledger: new Ledger(1).save(),
    governor: new Governor(governor, 3).save(),
    lifecycle: slotTable(slots).toJSON(),
    controller: createController(controller, 1).save(),
  };
}

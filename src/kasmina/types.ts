import type { Fit } from "../contracts/blueprint.ts";
import type { GatesConfig } from "../contracts/config.ts";
import type { Lifecycle } from "../contracts/growth.ts";
import type { AlphaSchedule } from "./alpha.ts";
import type { SlotRecord } from "./slot_record.ts";
import type { SlotTable } from "./slot_table.ts";

export interface KasminaOptions {
  /** Slots in order, with the parameters of the host layer nearest to each. */
  readonly slots: readonly { readonly name: string; readonly hostParams: number }[];
  /** Parameters, and FLOPs of a forward pass for one example, of the host alone. */
  readonly host: { readonly params: number; readonly flops: number };
  readonly gates: GatesConfig;
  /** Seeds between GERMINATED and HOLDING at one time. */
  readonly maxLive: number;
  /** Parameters and FLOPs allowed, as multiples of the host's. */
  readonly paramsBudget: number;
  readonly flopsBudget: number;
  /** Shape of the ramp in and its length in ticks. */
  readonly alpha: { readonly schedule: AlphaSchedule; readonly ticks: number };
  /** Seeds train within the network: α is 1 from TRAINING on, and there is no ramp in. Default false. */
  readonly fromBirth?: boolean;
  /** Whether a blueprint may sit in a slot, and at what cost. */
  fit(blueprint: string, slot: string): Fit;
}

/** The seed slots of one network, with their state. */
export interface Kasmina extends Lifecycle {
  /** All of the state. Others read it; only the lifecycle writes. */
  readonly table: SlotTable;
  toJSON(): SlotRecord;
  /** Takes on a state that `toJSON` gave. @throws {Error} if it is of other slots or damaged. */
  restore(json: unknown): void;
}

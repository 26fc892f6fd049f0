import { GatesConfig } from "../../src/contracts/config.ts";
import { HEALTH } from "../../src/contracts/health.ts";
import { createKasmina } from "../../src/kasmina/lifecycle.ts";
import type { ActionContext, SlotMeasurement } from "../../src/contracts/growth.ts";
import type { Kasmina, KasminaOptions } from "../../src/kasmina/types.ts";

/** Three slots behind a host of 1000 parameters and 10000 FLOPs; `big` breaks the budget, `odd` fits nowhere. */
export function slots(changes: Partial<KasminaOptions> = {}): Kasmina {
  return createKasmina({
    slots: ["a", "b", "c"].map((name) => ({ name, hostParams: 100 })),
    host: { params: 1000, flops: 10_000 },
    gates: GatesConfig.parse({}),
    maxLive: 2,
    paramsBudget: 1.5,
    flopsBudget: 2,
    alpha: { schedule: "linear", ticks: 4 },
    fit: (blueprint) =>
      blueprint === "odd"
        ? { fits: false, reason: "want [H, W, C]" }
        : { fits: true, parameters: blueprint === "big" ? 501 : 100, flops: 1000 },
    ...changes,
  });
}

export const context: ActionContext = { tick: 10, step: 1000, ticksLeft: 50, governor: null };

/** Measurements of which only those given are known. */
export function healthLike(known: Partial<SlotMeasurement["health"]>): SlotMeasurement["health"] {
  return { ...Object.fromEntries(HEALTH.map((key) => [key, null])) as SlotMeasurement["health"], ...known };
}

/** A seed that does well: ready, learning, of proven use, and missed when it is removed. */
export const healthy: SlotMeasurement = {
  ready: true,
  released: true,
  parameters: 100,
  updates: 0,
  health: healthLike({ gradNorm: 0.5, hostGradNorm: 1 }),
  times: { stepP50: 2, stepP95: 3, micros: 12 },
  advantage: { mean: 0.1, se: 0.01, n: 8 },
  removal: { mean: 0.1, se: 0.01, n: 8 },
};

export const controlLoss = { mean: 1, se: 0.01, n: 8 };

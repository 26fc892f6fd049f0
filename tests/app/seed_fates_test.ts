import { assertEquals } from "@std/assert";
import { seedFates } from "../../src/app/seed_fates.ts";
import type { Edge, EdgeReason, Evidence } from "../../src/contracts/lifecycle.ts";
import type { Stage } from "../../src/contracts/control.ts";

function edge(seed: string, tick: number, to: Stage, reason: EdgeReason, evidence: Evidence = {}): Edge {
  return {
    tick,
    step: 4 * tick,
    slot: seed.split("/")[0],
    seed,
    blueprint: "se",
    from: "DORMANT",
    to,
    reason,
    evidence,
  };
}

const params = (blueprint: string, slot: string) => blueprint.length + slot.length;

Deno.test("seedFates() tells birth, last stage, its reason and the last known advantage", () => {
  const fates = seedFates([
    edge("a/1", 1, "GERMINATED", "action", { live: 0 }),
    edge("b/1", 2, "GERMINATED", "action"),
    edge("a/1", 2, "TRAINING", "compiled"),
    edge("a/1", 5, "BLENDING", "gate", { advantage: 0.25 }),
    edge("a/1", 9, "HOLDING", "blended", { advantage: null }),
    edge("a/1", 12, "FOSSILIZED", "action", { removalCost: 0.125 }),
  ], params);
  assertEquals(fates, [
    {
      ...{ seed: "a/1", slot: "a", blueprint: "se", born: 1, tick: 12, stage: "FOSSILIZED" },
      ...{ reason: "action", params: 3, advantage: 0.125 },
    },
    {
      ...{ seed: "b/1", slot: "b", blueprint: "se", born: 2, tick: 2, stage: "GERMINATED" },
      ...{ reason: "action", params: 3, advantage: null },
    },
  ]);
});

Deno.test("seedFates() ends a life with its prune: what follows is the slot's rest", () => {
  const [first, second, ...others] = seedFates([
    edge("a/1", 1, "GERMINATED", "action"),
    edge("a/1", 4, "PRUNED", "no_benefit", { advantage: -0.5 }),
    edge("a/1", 5, "EMBARGOED", "released"),
    edge("a/1", 8, "RESETTING", "elapsed"),
    edge("a/1", 9, "DORMANT", "elapsed"),
    edge("a/2", 10, "GERMINATED", "action"),
  ], params);
  assertEquals([first.stage, first.reason, first.tick, first.advantage], ["PRUNED", "no_benefit", 4, -0.5]);
  assertEquals([second.seed, second.born, others], ["a/2", 10, []]);
});

Deno.test("seedFates() knows nothing of seeds whose birth it did not see", () => {
  assertEquals(seedFates([edge("a/1", 4, "PRUNED", "governor")], params), []);
  assertEquals(seedFates([], params), []);
});

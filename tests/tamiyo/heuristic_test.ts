import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Action, HeuristicConfig, type Observation } from "../../src/contracts/control.ts";
import { createController } from "../../src/tamiyo/mod.ts";
import { emptyLedger, updateLedger, upperBounds } from "../../src/tamiyo/ledger.ts";
import { germinations, observationLike, seedLike, slotLike } from "./observations.ts";

const config = (differences: Partial<HeuristicConfig> = {}) =>
  HeuristicConfig.parse({ kind: "heuristic", ...differences });
const fresh = (differences: Partial<HeuristicConfig> = {}) => createController(config(differences), 1);
const withWait = (...actions: Action[]): Action[] => [{ kind: "wait" }, ...actions];
const germinate = withWait(...germinations(["a", "b"], ["se", "conv3"]));

/** A controller that saw a seed germinate in slot "c" at tick 10; tick 20 is ten ticks later. */
function seasoned(differences: Partial<HeuristicConfig> = {}) {
  const controller = fresh(differences);
  controller.decide(observationLike({ tick: 11, slots: [seedLike("c", { age: 1 })] }));
  return controller;
}
const at = (tick: number, differences: Partial<Observation> = {}) =>
  observationLike({ tick, legal: germinate, ...differences });

Deno.test("heuristic germinates within the window only, its ends included", () => {
  const kinds = [0.099, 0.1, 0.6, 0.601].map((progress) => fresh().decide(at(20, { progress })));
  assertEquals(kinds.map(({ action }) => action.kind), ["wait", "germinate", "germinate", "wait"]);
  assertEquals(kinds[0].why, "progress 9.9% is before the window (10%)");
  assertMatch(
    kinds[1].why,
    /^progress 10% and nothing germinated yet; a was tried least .*; se has the highest upper bound/,
  );
  assertEquals(kinds[3].why, "progress 60.1% is after the window (60%)");
});

Deno.test("heuristic germinates again when the interval has passed, counted from the germination", () => {
  const steady = { controlHistory: [2, 1.9, 1.8, 1.7, 1.6] };
  assertEquals(
    seasoned().decide(at(17, steady)).why,
    "control loss improving, 15.79%; 7 ticks since the last germination",
  );
  const { action, why } = seasoned().decide(at(18, steady));
  assertEquals(action.kind, "germinate");
  assertMatch(why, /^8 ticks since the last germination; /);
});

Deno.test("heuristic germinates on a plateau: relative improvement over three ticks below 1%", () => {
  const plateau = (last: number) => ({ controlHistory: [3, 2, 2, 2, last] });
  assertEquals(seasoned().decide(at(14, plateau(1.98))).action.kind, "wait"); // exactly 1 %
  const { action, why } = seasoned().decide(at(14, plateau(1.981)));
  assertEquals(action.kind, "germinate");
  assertMatch(why, /^control loss improved 0.95% in 3 ticks; /);
  assertEquals(seasoned().decide(at(12, plateau(2))).action.kind, "wait"); // too soon after the last one
  const young = seasoned().decide(at(14, { controlHistory: [2, 2, 2] }));
  assertEquals(young.why, "control loss too young to judge; 4 ticks since the last germination");
});

Deno.test("heuristic takes the free slot with the highest gradient norm per parameter", () => {
  const slots = [
    slotLike("a", { hostGradNorm: 3, hostParams: 300 }),
    slotLike("b", { hostGradNorm: 2, hostParams: 100 }),
    slotLike("c", { hostGradNorm: 9, hostParams: 100 }), // not free
    slotLike("d", { hostGradNorm: NaN, hostParams: 1 }),
  ];
  const legal = withWait(...germinations(["a", "b", "d"], ["se"]));
  const { action, why } = fresh().decide(observationLike({ slots, legal }));
  assertEquals(action, { kind: "germinate", slot: "b", blueprint: "se" });
  assertMatch(why, /b has the highest gradient norm per parameter, 0.02;/);
});

Deno.test("heuristic takes the slot tried least where no gradient is measured", () => {
  const controller = fresh();
  controller.decide(observationLike({ tick: 3, slots: [seedLike("a", { age: 1 }), slotLike("b")] }));
  const { action, why } = controller.decide(at(20, { slots: [slotLike("a"), slotLike("b")] }));
  assertEquals(action.kind === "germinate" && action.slot, "b");
  assertMatch(why, /b was tried least \(0 times; no gradient is measured\)/);
});

Deno.test("heuristic tries blueprints in the configured order, then the legal one", () => {
  const first = (order: string[]) => {
    const { action } = fresh({ order }).decide(at(20));
    return action.kind === "germinate" ? action.blueprint : action.kind;
  };
  assertEquals(first([]), "se");
  assertEquals(first(["conv3"]), "conv3");
  assertEquals(first(["bottleneck", "conv3", "se"]), "conv3");
});

Deno.test("upperBounds() follows advantage less rent, with a prior and a bonus for the unknown", () => {
  const c = config();
  const ledger = emptyLedger();
  assertEquals(upperBounds(ledger, ["se", "conv3"], c), [0.02, 0.01]);
  const measured = (blueprint: string, mean: number) =>
    seedLike("a", { blueprint, advantage: { mean, se: 0.01, n: 8 } });
  // rent: 0.05 · 100 / 1000 + 0.1 · 1000 / 10,000 = 0.015
  updateLedger(ledger, observationLike({ slots: [measured("se", 0.115)] }), c);
  const bonus = (n: number, all: number) => 0.02 * Math.sqrt(Math.log(1 + all) / (1 + n));
  const close = (got: number[], want: number[]) =>
    got.forEach((v, i) => assert(Math.abs(v - want[i]) < 1e-12, `${got}`));
  close(upperBounds(ledger, ["se", "conv3"], c), [(0.02 + 0.1) / 2 + bonus(1, 1), 0.01 + bonus(0, 1)]);
  updateLedger(ledger, observationLike({ slots: [slotLike("a", { stage: "PRUNED" })] }), c);
  close(upperBounds(ledger, ["se", "conv3"], c), [(0.02 + 0.1) / 2 + bonus(1, 1), 0.01 + bonus(0, 1)]);
  assertEquals(ledger.settled.se.n, 1);
  assertEquals(ledger.live, {});
});

Deno.test("updateLedger() keeps the last measured value and counts a seed never measured as worth nothing", () => {
  const c = config();
  const ledger = emptyLedger();
  const see = (slot: ReturnType<typeof seedLike>) =>
    updateLedger(ledger, observationLike({ slots: [slot] }), c);
  see(seedLike("a", { advantage: null }));
  assertEquals(ledger.live, { a: { blueprint: "se", value: null } });
  see(seedLike("a", { advantage: { mean: 0.5, se: 0.1, n: 8 }, params: 0, flops: 0 }));
  see(seedLike("a", { advantage: { mean: NaN, se: NaN, n: 8 } }));
  see(seedLike("a", { stage: "HOLDING", advantage: null }));
  assertEquals(ledger.live, { a: { blueprint: "se", value: 0.5 } });
  see(seedLike("a", { stage: "FOSSILIZED" }));
  see(seedLike("a", { stage: "FOSSILIZED" }));
  see(seedLike("b", { blueprint: "conv3" }));
  see(slotLike("b", { stage: "PRUNED" }));
  assertEquals(ledger.settled, { se: { n: 1, sum: 0.5 }, conv3: { n: 1, sum: 0 } });
  assertEquals(ledger.tries, { a: 1, b: 1 });
});

Deno.test("heuristic leaves a blueprint that disappoints for the next in the order", () => {
  const controller = fresh();
  const poor = seedLike("a", { advantage: { mean: -0.2, se: 0.01, n: 8 } });
  controller.decide(observationLike({ tick: 5, slots: [poor, slotLike("b")] }));
  controller.decide(observationLike({ tick: 9, slots: [slotLike("a", { stage: "PRUNED" }), slotLike("b")] }));
  const { action } = controller.decide(at(20));
  assertEquals(action, { kind: "germinate", slot: "b", blueprint: "conv3" });
});

Deno.test("heuristic prunes at the limit where the lower bound is not positive", () => {
  const decide = (differences: Parameters<typeof seedLike>[1]) =>
    fresh().decide(
      observationLike({ slots: [seedLike("a", differences)], legal: withWait({ kind: "prune", slot: "a" }) }),
    );
  const advantage = (mean: number, se: number) => ({ advantage: { mean, se, n: 8 } });
  assertEquals(decide({ ticksInStage: 7, ...advantage(-1, 0.1) }).action.kind, "wait");
  assertEquals(decide({ ticksInStage: 8, ...advantage(0.1, 0.05) }).action.kind, "wait"); // bound 0.018
  const pruned = decide({ ticksInStage: 8, ...advantage(0.1, 0.1) });
  assertEquals(pruned.action, { kind: "prune", slot: "a" });
  assertEquals(
    pruned.why,
    "a does not pay after 8 ticks of TRAINING: advantage 0.1 ± 0.1 (n = 8), lower bound -0.0645",
  );
  assertMatch(decide({ ticksInStage: 8 }).why, /advantage not measured$/);
  assertEquals(decide({ stage: "BLENDING", ticksInStage: 20 }).action.kind, "wait");
  const removal = { mean: -0.01, se: 0.001, n: 8, age: 1 };
  assertMatch(
    decide({ stage: "HOLDING", ticksInStage: 8, removal, ...advantage(1, 0.1) }).why,
    /^a does not pay after 8 ticks of HOLDING: removal cost -0.01 ± 0.001/,
  );
});

Deno.test("heuristic fossilises before it advances, advances before it prunes, prunes before it germinates", () => {
  const slots = [
    seedLike("a", {
      stage: "HOLDING",
      ticksInStage: 4,
      age: 20,
      removal: { mean: 0.1, se: 0.01, n: 8, age: 0 },
    }),
    seedLike("b", { age: 10, advantage: { mean: 0.2, se: 0.01, n: 8 } }),
    seedLike("c", { age: 10, ticksInStage: 9 }),
    slotLike("d"),
  ];
  const wishes = withWait(
    ...germinations(["d"], ["se"]),
    { kind: "prune", slot: "c" },
    { kind: "advance", slot: "b" },
    { kind: "fossilize", slot: "a" },
  );
  const kinds: string[] = [];
  for (let legal = wishes; legal.length > 0; legal = legal.slice(0, -1)) {
    const { action } = fresh().decide(observationLike({ tick: 40, slots, legal }));
    kinds.push(action.kind);
  }
  assertEquals(kinds, ["fossilize", "advance", "prune", "germinate", "wait"]);
  const { why } = fresh().decide(observationLike({ slots, legal: wishes }));
  assertEquals(why, "a has earned its place: removal cost 0.1 ± 0.01 (n = 8), lower bound 0.0836");
});

Deno.test("heuristic germinates only while the network is too small, where it is told to go by the gap", () => {
  const kind = (trainLoss: number | null, differences: Partial<HeuristicConfig> = { largestGap: 0.1 }) =>
    fresh(differences).decide(at(20, { trainLoss, controlLoss: 2 })).action.kind;
  assertEquals([kind(1.9), kind(1.7), kind(null), kind(1.7, {})], [
    "germinate",
    "wait",
    "germinate",
    "germinate",
  ]);
});

Deno.test("heuristic keeps the best of a litter once all of it is measured, and adds nothing to it before", () => {
  const held = (slot: string, mean: number) =>
    seedLike(slot, { stage: "HOLDING", removal: { mean, se: 0.01, n: 8, age: 0 } });
  const legal = withWait(
    ...germinations(["d"], ["se"]),
    { kind: "fossilize", slot: "a" },
    { kind: "fossilize", slot: "b" },
    { kind: "prune", slot: "a" },
    { kind: "prune", slot: "b" },
  );
  const acts = (...slots: Observation["slots"]) =>
    fresh({ keep: "best" }).decide(observationLike({ tick: 40, slots: [...slots, slotLike("d")], legal }))
      .action;
  assertEquals(acts(held("a", 0.1), held("b", 0.2)), { kind: "prune", slot: "a" });
  assertEquals(acts(held("a", 0.1), seedLike("b", { ticksInStage: 1 })), { kind: "wait" });
  assertEquals(acts(held("b", 0.2)), { kind: "fossilize", slot: "b" });
});

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Measurement } from "../../src/contracts/control.ts";
import type { Edge } from "../../src/contracts/lifecycle.ts";
import { GatesConfig } from "../../src/contracts/config.ts";
import type { SlotMeasurement } from "../../src/contracts/growth.ts";
import type { Kasmina } from "../../src/kasmina/types.ts";
import { context, controlLoss, healthLike, healthy, slots } from "./slots.ts";

const germinate = { kind: "germinate", slot: "a", blueprint: "conv3" } as const;

/** Ends `count` ticks with one measurement of slot a; returns the edges as `FROM>TO reason`. */
function ticks(kasmina: Kasmina, count: number, a: Partial<SlotMeasurement> = {}, loss?: Measurement | null) {
  const edges: Edge[] = [];
  for (let k = 0; k < count; k++) {
    edges.push(...kasmina.onTick({
      tick: 11 + k,
      step: 1100 + 100 * k,
      controlLoss: loss === undefined ? controlLoss : loss,
      slots: { a: { ...healthy, ...a } },
    }));
  }
  return edges.map((edge) => `${edge.from}>${edge.to} ${edge.reason}`);
}

/** A slot table with a seed in slot a in the stage asked for. */
function grown(stage: "TRAINING" | "BLENDING" | "HOLDING", kasmina = slots()): Kasmina {
  kasmina.apply(germinate, context);
  ticks(kasmina, 1);
  if (stage === "TRAINING") return kasmina;
  ticks(kasmina, 3);
  kasmina.apply({ kind: "advance", slot: "a" }, context);
  if (stage === "BLENDING") return kasmina;
  ticks(kasmina, 5);
  return kasmina;
}

Deno.test("a seed that helps goes from germination to fossil", () => {
  const kasmina = slots();
  const [born] = kasmina.apply(germinate, context);
  assertEquals({ ...born, evidence: {} }, {
    tick: 10,
    step: 1000,
    slot: "a",
    seed: "a/1",
    blueprint: "conv3",
    from: "DORMANT",
    to: "GERMINATED",
    reason: "action",
    evidence: {},
  });
  assertEquals(ticks(kasmina, 4), ["GERMINATED>TRAINING compiled"]);
  assertEquals(kasmina.apply({ kind: "advance", slot: "a" }, context)[0].to, "BLENDING");
  assertEquals(ticks(kasmina, 5), ["BLENDING>HOLDING blended"]);
  assertEquals(ticks(kasmina, 3), []);
  assertEquals(kasmina.apply({ kind: "fossilize", slot: "a" }, context)[0].to, "FOSSILIZED");
  assertEquals(ticks(kasmina, 30), []);
  assertEquals([kasmina.alphaAt("a", 0.5), kasmina.seedOf("a")], [1, "a/1"]);
});

Deno.test("alpha stays 0 until the program holds the seed, then moves with the steps and ends at exactly 1", () => {
  const kasmina = grown("BLENDING");
  assertEquals(kasmina.alphaAt("a", 0.5), 0);
  ticks(kasmina, 1, { ready: false });
  assertEquals(kasmina.alphaAt("a", 0.5), 0);
  ticks(kasmina, 1);
  assertEquals([0, 0.5, 1].map((fraction) => kasmina.alphaAt("a", fraction)), [0, 0.125, 0.25]);
  ticks(kasmina, 3);
  assertEquals(kasmina.alphaAt("a", 0), 0.75);
  ticks(kasmina, 1);
  assertEquals([kasmina.stageOf("a"), kasmina.alphaAt("a", 0.9)], ["HOLDING", 1]);
});

Deno.test("a seed whose program is late is pruned, before training and before blending", () => {
  const kasmina = slots();
  kasmina.apply(germinate, context);
  assertEquals(ticks(kasmina, 2, { ready: false }), ["GERMINATED>PRUNED compile_timeout"]);
  assertEquals(ticks(grown("BLENDING"), 2, { ready: false }), ["BLENDING>PRUNED compile_timeout"]);
});

Deno.test("a seed with NaN gradients is pruned at the first tick that shows them", () => {
  assertEquals(ticks(grown("TRAINING"), 1, { health: healthLike({ gradNorm: NaN }) }), [
    "TRAINING>PRUNED not_finite",
  ]);
});

Deno.test("at the last tick of TRAINING proof blends by itself and its lack prunes", () => {
  assertEquals(ticks(grown("TRAINING"), 11), []);
  assertEquals(ticks(grown("TRAINING"), 12), ["TRAINING>BLENDING gate"]);
  const kasmina = grown("TRAINING");
  ticks(kasmina, 11);
  const [edge] = kasmina.onTick({
    tick: 30,
    step: 3000,
    controlLoss,
    slots: { a: { ...healthy, advantage: null } },
  });
  assertEquals([edge.to, edge.reason, edge.evidence.failed], [
    "PRUNED",
    "no_benefit",
    "advantage_unmeasured",
  ]);
});

Deno.test("a control loss that rose freezes alpha for three ticks, then the seed is blended out, weights frozen", () => {
  const kasmina = grown("BLENDING");
  ticks(kasmina, 1);
  const risen = { mean: 1.1, se: 0.01, n: 8 };
  assertEquals(ticks(kasmina, 6, {}, risen), []);
  assertEquals([kasmina.alphaAt("a", 1), kasmina.frozen("a")], [1, false]);
  assertEquals(ticks(kasmina, 1, {}, risen), []);
  assertEquals([kasmina.frozen("a"), kasmina.alphaAt("a", 0.5), kasmina.alphaAt("a", 1)], [true, 0.75, 0.5]);
  assertEquals(ticks(kasmina, 2, {}, risen), ["BLENDING>PRUNED regression"]);
  assertEquals([kasmina.frozen("a"), kasmina.alphaAt("a", 0)], [false, 0]);
});

Deno.test("an unmeasured control loss never passes for a good one", () => {
  const kasmina = grown("BLENDING");
  ticks(kasmina, 1);
  ticks(kasmina, 9, {}, null);
  assertEquals(kasmina.stageOf("a"), "PRUNED");
});

Deno.test("a guarded ramp waits while the control loss is up, and gives up after five ticks", () => {
  const guarded = () => grown("BLENDING", slots({ alpha: { schedule: "guarded", ticks: 4 } }));
  const kasmina = guarded();
  ticks(kasmina, 2);
  const risen = { mean: 1.011, se: 0, n: 8 };
  ticks(kasmina, 2, {}, risen);
  assertEquals([kasmina.alphaAt("a", 0), kasmina.alphaAt("a", 0.9)], [0.5, 0.5]);
  ticks(kasmina, 1);
  assertEquals(kasmina.alphaAt("a", 0.5), 0.625);
  const other = guarded();
  ticks(other, 2);
  ticks(other, 6, {}, risen);
  assert(other.frozen("a"));
});

Deno.test("HOLDING ends in a blend-out where no action fossilises", () => {
  const kasmina = grown("HOLDING");
  assertEquals(ticks(kasmina, 10), []);
  assert(kasmina.frozen("a"));
  assertEquals(kasmina.check({ kind: "fossilize", slot: "a" }, context)?.reason, "blending_out");
  assertEquals(kasmina.check({ kind: "prune", slot: "a" }, context)?.reason, "blending_out");
  assertEquals(ticks(kasmina, 2), ["HOLDING>PRUNED holding_timeout"]);
});

Deno.test("a prune is at once without alpha and ramps out over two ticks with it", () => {
  const training = grown("TRAINING");
  assertEquals(training.check({ kind: "prune", slot: "a" }, context)?.reason, "too_young");
  ticks(training, 2);
  assertEquals(training.apply({ kind: "prune", slot: "a" }, context)[0].to, "PRUNED");
  const holding = grown("HOLDING");
  assertEquals(holding.apply({ kind: "prune", slot: "a" }, context), []);
  assertEquals([0, 0.5, 1].map((fraction) => holding.alphaAt("a", fraction)), [1, 0.75, 0.5]);
  assertEquals(ticks(holding, 2), ["HOLDING>PRUNED action"]);
});

Deno.test("after a prune the slot waits for its memory, then three ticks, then one", () => {
  const kasmina = grown("TRAINING");
  ticks(kasmina, 2);
  kasmina.apply({ kind: "prune", slot: "a" }, context);
  assertEquals(ticks(kasmina, 5, { released: false }), []);
  assertEquals(kasmina.observe()[0].params, 100);
  assertEquals(ticks(kasmina, 1), ["PRUNED>EMBARGOED released"]);
  assertEquals([kasmina.observe()[0].params, kasmina.observe()[0].embargoTicks], [0, 3]);
  assertEquals(kasmina.check(germinate, context)?.reason, "wrong_stage");
  assertEquals(ticks(kasmina, 4), ["EMBARGOED>RESETTING elapsed", "RESETTING>DORMANT elapsed"]);
  assertEquals(kasmina.apply(germinate, context)[0].seed, "a/2");
});

Deno.test("condemn() prunes at once at full alpha, and bars a slot that is empty", () => {
  const kasmina = grown("HOLDING");
  const [edge] = kasmina.condemn("a", context, "loss is NaN");
  assertEquals([edge.from, edge.to, edge.reason, edge.evidence], [
    "HOLDING",
    "PRUNED",
    "governor",
    { why: "loss is NaN", alpha: 1 },
  ]);
  assertEquals(kasmina.alphaAt("a", 0), 0);
  assertEquals(kasmina.condemn("b", context, "rolled back"), []);
  assertEquals(kasmina.check({ ...germinate, slot: "b" }, context)?.reason, "embargo");
  ticks(kasmina, 3);
  assertEquals(kasmina.check({ ...germinate, slot: "b" }, context), null);
});

Deno.test("check() counts live seeds and what all seeds cost", () => {
  const kasmina = slots();
  assertEquals(kasmina.check({ ...germinate, blueprint: "big" }, context)?.reason, "parameter_budget");
  assertEquals(kasmina.check({ ...germinate, blueprint: "odd" }, context)?.reason, "does_not_fit");
  assertEquals(kasmina.check({ ...germinate, slot: "z" }, context)?.reason, "unknown_slot");
  kasmina.apply(germinate, context);
  kasmina.apply({ ...germinate, slot: "b" }, context);
  assertEquals(kasmina.check({ ...germinate, slot: "c" }, context)?.reason, "live_limit");
  assertEquals(
    slots({ maxLive: 9, paramsBudget: 1.1, flopsBudget: 9 }).check(germinate, context),
    null,
  );
});

Deno.test("apply() refuses what check() refuses", () => {
  assertThrows(
    () => slots().apply({ kind: "prune", slot: "a" }, context),
    Error,
    "kasmina: cannot prune in a: wrong_stage; check first",
  );
  assertThrows(() => slots().stageOf("z"), Error, "kasmina: want a slot out of a, b, c, got z");
});

Deno.test("removal costs count from the start of HOLDING and only in a row", () => {
  const kasmina = grown("HOLDING");
  const fossilize = { kind: "fossilize", slot: "a" } as const;
  ticks(kasmina, 2);
  ticks(kasmina, 1, { removal: { mean: 0, se: 0.01, n: 8 } });
  assertEquals(kasmina.check(fossilize, context)?.reason, "removal_unproven");
  ticks(kasmina, 2);
  assertEquals(kasmina.check(fossilize, context)?.reason, "removal_unproven");
  ticks(kasmina, 1);
  assertEquals(kasmina.check(fossilize, context), null);
  ticks(kasmina, 3, { removal: null });
  assertEquals(kasmina.observe()[0].removal?.age, 3);
});

Deno.test("a removal cost that was lucky at first puts the fossil off, also over a restore, and not for ever", () => {
  const kasmina = grown("HOLDING"), copy = slots();
  const fossilize = { kind: "fossilize", slot: "a" } as const;
  const removal = (mean: number) => ({ removal: { mean, se: 0.02, n: 8 } });
  ticks(kasmina, 1, removal(0.35));
  ticks(kasmina, 2, removal(0.2));
  assertEquals(kasmina.check(fossilize, context)?.reason, "advantage_falling");
  copy.restore(JSON.parse(JSON.stringify(kasmina)));
  for (const either of [kasmina, copy]) {
    assertEquals(either.check(fossilize, context)?.reason, "advantage_falling");
    ticks(either, 6, removal(0.2));
    assertEquals([either.stageOf("a"), either.check(fossilize, context)], ["HOLDING", null]);
  }
  assertEquals(copy.toJSON(), kasmina.toJSON());
});

Deno.test("restore() goes on as if nothing had happened, in the middle of a ramp", () => {
  const kasmina = grown("BLENDING");
  ticks(kasmina, 3);
  const copy = slots();
  copy.restore(JSON.parse(JSON.stringify(kasmina)));
  assertEquals(copy.alphaAt("a", 0.3), kasmina.alphaAt("a", 0.3));
  assertEquals(ticks(copy, 9), ticks(kasmina, 9));
  assertEquals(copy.toJSON(), kasmina.toJSON());
});

Deno.test("resting stages of no length still leave one record each", () => {
  const gates = GatesConfig.parse({ embargoTicks: 0, resettingTicks: 0 });
  const kasmina = grown("TRAINING", slots({ gates }));
  ticks(kasmina, 2);
  kasmina.apply({ kind: "prune", slot: "a" }, context);
  assertEquals(ticks(kasmina, 3).length, 3);
  assertEquals(kasmina.stageOf("a"), "DORMANT");
});

Deno.test("without incubation alpha is 1 from TRAINING on, with no ramp in, and a prune ramps out", () => {
  const kasmina = grown("TRAINING", slots({ fromBirth: true }));
  assertEquals(kasmina.alphaAt("a", 0), 1);
  ticks(kasmina, 3);
  const other = slots({ fromBirth: true });
  other.restore(kasmina.toJSON());
  kasmina.apply({ kind: "advance", slot: "a" }, context);
  assertEquals([kasmina.alphaAt("a", 0), kasmina.alphaAt("a", 0.5)], [1, 1]);
  assertEquals(ticks(kasmina, 1), ["BLENDING>HOLDING blended"]);
  assertEquals(other.apply({ kind: "prune", slot: "a" }, context), []);
  assertEquals(other.alphaAt("a", 0.5), 0.75);
  assertEquals(ticks(other, 2), ["TRAINING>PRUNED action"]);
});

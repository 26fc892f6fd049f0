import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Measurement } from "../../src/contracts/control.ts";
import { type Edge, STAGES } from "../../src/contracts/lifecycle.ts";
import { legalActions } from "../../src/kasmina/legal.ts";
import type { SlotMeasurement, TickMeasurements } from "../../src/contracts/growth.ts";
import { controlLoss, slots } from "./slots.ts";

/** The lifecycle once more, by hand. */
const LEGAL = [
  "DORMANT>GERMINATED",
  "GERMINATED>TRAINING",
  "GERMINATED>PRUNED",
  "TRAINING>BLENDING",
  "TRAINING>PRUNED",
  "BLENDING>HOLDING",
  "BLENDING>PRUNED",
  "HOLDING>FOSSILIZED",
  "HOLDING>PRUNED",
  "PRUNED>EMBARGOED",
  "EMBARGOED>RESETTING",
  "RESETTING>DORMANT",
];

const NAMES = ["a", "b", "c"];
const EMBARGO = 3;

const number = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: 0.05, max: 2, noNaN: true }) },
  fc.constantFrom(0, -1, NaN, Infinity),
);
const measurement: fc.Arbitrary<Measurement | null> = fc.option(
  fc.record({
    mean: number,
    se: fc.double({ min: 0, max: 0.02, noNaN: true }),
    n: fc.constantFrom(8, 8, 8, 4),
  }),
  { freq: 9 },
);
const often = fc.integer({ min: 0, max: 3 }).map((draw) => draw > 0);
const slot: fc.Arbitrary<SlotMeasurement> = fc.record({
  ready: often,
  released: often,
  gradNorm: fc.option(number, { freq: 9 }),
  hostGradNorm: fc.option(number, { freq: 9 }),
  advantage: measurement,
  removal: measurement,
  micros: fc.constant(null),
});
const tick = fc.record({
  /** Which of the legal actions is taken, counted round and round; mostly the first, WAIT. */
  pick: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: 59 })),
  /** Now and then the governor strikes at one of the slots. */
  condemned: fc.integer({ min: 0, max: 99 }).map((draw) => NAMES[draw]),
  loss: fc.oneof({ weight: 9, arbitrary: fc.constant(controlLoss) }, measurement),
  slots: fc.record({ a: slot, b: slot, c: slot }),
});
const story = fc.array(tick, { minLength: 40, maxLength: 120 });
const schedule = fc.constantFrom(
  "linear" as const,
  "cosine" as const,
  "sigmoid" as const,
  "guarded" as const,
);

type Watch = (edges: Edge[], tick: number, kasmina: ReturnType<typeof slots>) => void;

/** Lets a random story run and shows every moment of it to `watch`. */
function live(watch: (kasmina: ReturnType<typeof slots>) => Watch): void {
  fc.assert(
    fc.property(schedule, story, (schedule, story) => {
      const kasmina = slots({ alpha: { schedule, ticks: 4 } });
      const look = watch(kasmina);
      for (const [tick, { pick, condemned, loss, slots: found }] of story.entries()) {
        const measured: TickMeasurements = { tick, step: 100 * tick, controlLoss: loss, slots: found };
        look(kasmina.onTick(measured), tick, kasmina);
        const context = { tick, step: 100 * tick, ticksLeft: 100, governor: null };
        if (condemned) look(kasmina.condemn(condemned, context, "test"), tick, kasmina);
        const legal = legalActions(kasmina, ["conv3", "big", "odd"], context);
        const action = legal[pick % legal.length];
        look(kasmina.apply(action, context), tick, kasmina);
      }
    }),
    { numRuns: 60, seed: 1 },
  );
}

Deno.test("lifecycle: no edge outside the table, and one record for each change of stage", () => {
  const seen = new Set<string>();
  live(() => {
    const stages = new Map(NAMES.map((name) => [name, "DORMANT"]));
    return (edges, tick, kasmina) => {
      for (const edge of edges) {
        assertEquals(edge.from, stages.get(edge.slot));
        assert(LEGAL.includes(`${edge.from}>${edge.to}`), `${edge.from}>${edge.to}`);
        assertEquals([edge.tick, edge.step], [tick, 100 * tick]);
        stages.set(edge.slot, edge.to);
        seen.add(`${edge.from}>${edge.to}`);
      }
      for (const name of NAMES) assertEquals(kasmina.stageOf(name), stages.get(name));
    };
  });
  assertEquals([...seen].sort(), [...LEGAL].sort(), "the stories do not reach every edge");
});

Deno.test("lifecycle: alpha is in [0, 1], continuous and monotone within a tick, and 0 outside BLENDING and later", () => {
  live(() => {
    const last = new Map<string, { alpha: number; up: boolean }>();
    return (edges, _, kasmina) => {
      for (const name of NAMES) {
        const path = [0, 0.25, 0.5, 0.75, 1].map((fraction) => kasmina.alphaAt(name, fraction));
        const stage = kasmina.stageOf(name), row = kasmina.table.names.indexOf(name);
        assert(path.every((alpha) => alpha >= 0 && alpha <= 1));
        const falling = kasmina.frozen(name);
        for (let k = 1; k < path.length; k++) {
          assert(falling ? path[k] <= path[k - 1] : path[k] >= path[k - 1]);
        }
        assertEquals(path[0], kasmina.table.alpha[row]);
        if (!["BLENDING", "HOLDING", "FOSSILIZED"].includes(stage)) assertEquals(path[4], 0);
        if (["HOLDING", "FOSSILIZED"].includes(stage) && !falling) assertEquals(path, [1, 1, 1, 1, 1]);
        const before = last.get(name);
        const moved = edges.some((edge) => edge.slot === name);
        if (before && !moved && before.up === !falling) {
          assert(falling ? path[0] <= before.alpha : path[0] >= before.alpha, "alpha turned within a ramp");
        }
        last.set(name, { alpha: path[0], up: !falling });
      }
    };
  });
});

Deno.test("lifecycle: an empty slot has no parameters, blueprint or measurement, and budgets hold", () => {
  live(() => (_, __, kasmina) => {
    const observed = kasmina.observe();
    for (
      const slot of observed.filter((slot) => ["DORMANT", "EMBARGOED", "RESETTING"].includes(slot.stage))
    ) {
      assertEquals([slot.params, slot.flops, slot.alpha], [0, 0, 0]);
      if (slot.stage === "DORMANT") assertEquals([slot.blueprint, kasmina.seedOf(slot.slot)], [null, null]);
    }
    const total = (key: "params" | "flops") => observed.reduce((sum, slot) => sum + slot[key], 0);
    assert(1000 + total("params") <= 1500 && 10_000 + total("flops") <= 20_000);
    const live = observed.filter((s) => STAGES.indexOf(s.stage) >= 1 && STAGES.indexOf(s.stage) <= 4);
    assert(live.length <= 2);
  });
});

Deno.test("lifecycle: no slot germinates again before its embargo is over", () => {
  live(() => {
    const embargoed = new Map<string, number>();
    return (edges) => {
      for (const edge of edges) {
        if (edge.to === "EMBARGOED") embargoed.set(edge.slot, edge.tick);
        const since = embargoed.get(edge.slot);
        if (edge.to === "GERMINATED" && since !== undefined) assert(edge.tick - since >= EMBARGO + 1);
      }
    };
  });
});

Deno.test("lifecycle: a state saved and restored at any moment lives on identically", () => {
  live(() => (_, __, kasmina) => {
    const copy = slots();
    copy.restore(JSON.parse(JSON.stringify(kasmina)));
    assertEquals(copy.toJSON(), kasmina.toJSON());
    assertEquals(copy.observe(), kasmina.observe());
  });
});

/** What holds in every story of the slots: ten thousand of them, measured by the reference executor. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Action } from "../../src/contracts/control.ts";
import { GatesConfig } from "../../src/contracts/config.ts";
import type { ActionContext } from "../../src/contracts/growth.ts";
import { type Edge, type Evidence, LIVE_STAGES } from "../../src/contracts/lifecycle.ts";
import type { Values } from "../../src/engine/graph/op.ts";
import { createKasmina } from "../../src/kasmina/lifecycle.ts";
import { legalActions } from "../../src/kasmina/legal.ts";
import type { Kasmina, KasminaOptions } from "../../src/kasmina/types.ts";
import { BLUEPRINTS, evaluated, find, fit, measureTick, planted, SLOTS } from "./world.ts";

const STORIES = 10_000;

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

const HOST = { params: 1000, flops: 10_000 };
const gates = GatesConfig.parse({});

const options: KasminaOptions = {
  slots: SLOTS.map((name) => ({ name, hostParams: 20 })),
  host: HOST,
  gates,
  maxLive: 2,
  paramsBudget: 1.5,
  flopsBudget: 2,
  alpha: { schedule: "linear", ticks: 2 },
  fit,
};

const number = (value: Evidence[string]) => {
  assert(typeof value === "number", `want a number as evidence, got ${value}`);
  return value;
};

/** What the evidence of each edge must show, by the table of the lifecycle. */
const proofs: Record<string, (evidence: Evidence, edge: Edge) => boolean> = {
  "DORMANT>GERMINATED action": (e) =>
    e.stage === "DORMANT" && e.embargo === 0 && e.governor === "allows" && e.fit === "fits" &&
    number(e.live) < 2 && number(e.params) <= 1500 && number(e.flops) <= 20_000 && number(e.ticksLeft) >= 12,
  "GERMINATED>TRAINING compiled": (e) =>
    number(e.ticks) >= 1 && number(e.parameters) > 0 && e.parameters === e.declared && e.updates === 0,
  "GERMINATED>PRUNED compile_timeout": (e) => number(e.ticks) === 2,
  "TRAINING>BLENDING action": proven,
  "TRAINING>BLENDING gate": proven,
  "TRAINING>PRUNED no_benefit": (e) => typeof e.failed === "string" && number(e.ticksInStage) === 12,
  "TRAINING>PRUNED not_finite": (e) => ["NaN", "Infinity"].includes(e.gradNorm as string),
  "TRAINING>PRUNED action": (e) => number(e.age) >= 3,
  "BLENDING>HOLDING blended": (e) => e.alpha === 1 && number(e.controlLoss) <= number(e.limit),
  "BLENDING>PRUNED regression": (e) =>
    e.controlLoss === null || e.limit === null || !(Number(e.controlLoss) <= Number(e.limit)),
  "BLENDING>PRUNED compile_timeout": (e) => number(e.ticks) >= 2,
  "BLENDING>PRUNED action": (e) => number(e.age) >= 3,
  "HOLDING>FOSSILIZED action": (e) =>
    number(e.ticksInStage) >= 3 && number(e.lowerBound) > 0 && number(e.measurements) >= 3 &&
    number(e.removalAge) <= 3,
  "HOLDING>PRUNED holding_timeout": (e) => number(e.ticks) === 10,
  "HOLDING>PRUNED action": (e) => number(e.age) >= 3,
  "PRUNED>EMBARGOED released": () => true,
  "EMBARGOED>RESETTING elapsed": (e) => number(e.ticks) === 3,
  "RESETTING>DORMANT elapsed": (e) => number(e.ticks) === 1,
};

function proven(e: Evidence): boolean {
  return number(e.ticksInStage) >= 3 && number(e.batches) >= 8 && number(e.lowerBound) > 0 &&
    number(e.gradientRatio) >= 0.01 && number(e.gradientRatio) <= 100 && Number.isFinite(number(e.gradNorm));
}

const alone = find([]);

/** One slot's past, as far as it binds its future. */
interface Past {
  stage: string;
  embargoedAt: number | null;
  alpha: number;
  falling: boolean;
}

/** Holds a story against all that is promised, moment by moment. */
class Witness {
  readonly #moved = new Set<string>();
  readonly past = new Map<string, Past>(
    SLOTS.map((slot) => [slot, { stage: "DORMANT", embargoedAt: null, alpha: 0, falling: false }]),
  );
  constructor(readonly seen: Map<string, number>) {}

  /** Takes in the edges of one call. */
  look(edges: readonly Edge[], clock: { tick: number; step: number }): void {
    const moved = new Set<string>();
    for (const edge of edges) {
      const past = this.past.get(edge.slot)!;
      const way = `${edge.from}>${edge.to}`;
      assert(LEGAL.includes(way), `${way} is no edge of the table`);
      assertEquals([edge.from, edge.tick, edge.step], [past.stage, clock.tick, clock.step]);
      assert(!moved.has(edge.slot), "two edges at once");
      if (edge.reason === "governor") assert(edge.to === "PRUNED" && edge.evidence.why === "test");
      else {
        const proof = proofs[`${way} ${edge.reason}`];
        assert(proof, `${way} has no reason ${edge.reason}`);
        assert(proof(edge.evidence, edge), `${way} ${edge.reason} on ${JSON.stringify(edge.evidence)}`);
      }
      if (edge.to === "EMBARGOED") past.embargoedAt = edge.tick;
      if (edge.to === "GERMINATED" && past.embargoedAt !== null) {
        assert(edge.tick - past.embargoedAt >= gates.embargoTicks + gates.resettingTicks);
      }
      past.stage = edge.to;
      moved.add(edge.slot);
      this.seen.set(way, (this.seen.get(way) ?? 0) + 1);
    }
    for (const slot of moved) this.#moved.add(slot);
  }

  /** Looks at the slots as a tick leaves them. */
  settle(kasmina: Kasmina): void {
    const observed = kasmina.observe();
    let live = 0, params = HOST.params, flops = HOST.flops;
    for (const slot of observed) {
      const past = this.past.get(slot.slot)!;
      assertEquals(slot.stage, past.stage, "a stage changed without a record");
      if (LIVE_STAGES.includes(slot.stage)) live++;
      params += slot.params;
      flops += slot.flops;
      if (["DORMANT", "EMBARGOED", "RESETTING"].includes(slot.stage)) {
        assertEquals([slot.params, slot.flops, slot.alpha], [0, 0, 0]);
      }
      if (slot.stage === "DORMANT") assertEquals([slot.blueprint, kasmina.seedOf(slot.slot)], [null, null]);
      this.#lookAtAlpha(kasmina, slot.slot, past, this.#moved.has(slot.slot));
    }
    this.#moved.clear();
    assert(
      live <= 2 && params <= 1500 && flops <= 20_000,
      `${live} live, ${params} parameters, ${flops} FLOPs`,
    );
  }

  #lookAtAlpha(kasmina: Kasmina, slot: string, past: Past, moved: boolean): void {
    const falling = kasmina.frozen(slot);
    const path = [0, 0.5, 1].map((fraction) => kasmina.alphaAt(slot, fraction));
    assert(path.every((alpha) => alpha >= 0 && alpha <= 1));
    for (const k of [1, 2]) {
      assert(falling ? path[k] <= path[k - 1] : path[k] >= path[k - 1], "α turned in a tick");
    }
    if (!["BLENDING", "HOLDING", "FOSSILIZED"].includes(past.stage)) assertEquals(path, [0, 0, 0]);
    if (["HOLDING", "FOSSILIZED"].includes(past.stage) && !falling) assertEquals(path, [1, 1, 1]);
    if (!moved && past.falling === falling) {
      assert(falling ? path[0] <= past.alpha : path[0] >= past.alpha, "α turned");
    }
    Object.assign(past, { alpha: path[0], falling });
  }
}

/** Bits of a number that stands for one tick. */
const bits = (word: number, from: number, count: number) => (word >>> from) & ((1 << count) - 1);

/** Any action at all, legal or not. */
function anyAction(word: number): Action {
  const slot = SLOTS[bits(word, 0, 2) % 3], kind = bits(word, 2, 2);
  if (kind === 0) return { kind: "germinate", slot, blueprint: BLUEPRINTS[bits(word, 4, 2)] };
  return { kind: (["advance", "prune", "fossilize"] as const)[kind - 1], slot };
}

/** Acts as the word of a tick says: mostly a legal action or none, now and then an illegal one, which must be refused. */
function act(kasmina: Kasmina, word: number, context: ActionContext): Edge[] {
  const tried = anyAction(word);
  const veto = kasmina.check(tried, context);
  if (veto && bits(word, 6, 4) === 0) {
    const before = kasmina.toJSON();
    assertThrows(() => kasmina.apply(tried, context), Error, veto.reason);
    assertEquals(kasmina.toJSON(), before, "a refused action left a trace");
  }
  if (bits(word, 10, 1)) return [];
  const legal = legalActions(kasmina, BLUEPRINTS, context);
  const hopeful = legal.filter(({ kind }) => kind === "advance" || kind === "fossilize");
  const choice = hopeful.length > 0 && bits(word, 11, 1) ? hopeful : legal;
  return kasmina.apply(choice[bits(word, 12, 8) % choice.length], context);
}

const schedules = ["linear", "cosine", "sigmoid", "guarded"] as const;
const story = fc.array(fc.nat(0x7fff_ffff), { minLength: 12, maxLength: 40, size: "max" });

Deno.test(`lifecycle: no edge outside the table, each on its evidence, in ${STORIES} random stories`, () => {
  const seen = new Map<string, number>(), same = new Set<Values>();
  fc.assert(
    fc.property(fc.constantFrom(...schedules), story, (schedule, words) => {
      let kasmina = createKasmina({ ...options, alpha: { schedule, ticks: 2 } });
      const witness = new Witness(seen);
      for (const [tick, word] of words.entries()) {
        const clock = { tick, step: 100 * tick };
        const unlucky = bits(word, 20, 4), blindness = bits(word, 24, 5);
        const measured = measureTick(kasmina, clock, (slot) => ({
          late: unlucky === SLOTS.indexOf(slot as never),
          stuck: unlucky === 3 + SLOTS.indexOf(slot as never),
          blind: blindness === SLOTS.indexOf(slot as never),
        }), blindness !== 4);
        witness.look(kasmina.onTick(measured), clock);
        const context = { ...clock, ticksLeft: 40 - tick, governor: blindness === 5 ? "watching" : null };
        if (blindness === 6) {
          witness.look(kasmina.condemn(SLOTS[word % 3], context, "test"), clock);
        }
        witness.look(act(kasmina, word, context), clock);
        witness.settle(kasmina);
        if (blindness === 7) {
          const copy = createKasmina({ ...options, alpha: { schedule, ticks: 2 } });
          copy.restore(JSON.parse(JSON.stringify(kasmina)));
          assertEquals([copy.toJSON(), copy.observe()], [kasmina.toJSON(), kasmina.observe()]);
          kasmina = copy;
        }
        const seeds = planted(kasmina);
        // Seeds that the host does not know of, or knows at no strength, change nothing.
        if (seeds.every(({ mode, alpha }) => mode === "shadow" || (mode === "blend" && alpha === 0))) {
          const { logits } = find(seeds);
          if (!same.has(logits)) assertEquals(logits, alone.logits);
          same.add(logits);
        }
      }
    }),
    { numRuns: STORIES, seed: 1 },
  );
  assertEquals([...seen.keys()].sort(), LEGAL.toSorted(), "the stories do not reach every edge");
  assert(evaluated() > 100, "the stories hardly differ");
});

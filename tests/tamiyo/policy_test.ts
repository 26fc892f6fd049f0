/** The policy that sees networks as graphs. */
import { sightOf } from "../../bench/support/sights.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Observation } from "../../src/contracts/control.ts";
import { evaluate, type Feeds } from "../../src/engine/compile/reference.ts";
import { initialise, mean, mul, square, TraceScope } from "../../src/engine/mod.ts";
import { gradients } from "../../src/engine/graph/gradients.ts";
import { reachable } from "../../src/engine/graph/trace.ts";
import { add } from "../../src/engine/ops/elementwise.ts";
import { Normaliser, widthOf } from "../../src/tamiyo/policy/feature_table.ts";
import { globalFeatures, slotFeatures } from "../../src/tamiyo/policy/features.ts";
import { createGraphPolicy } from "../../src/tamiyo/policy/network.ts";
import { createActor } from "../../src/tamiyo/rl/actor.ts";
import type { BatchShape } from "../../src/tamiyo/rl/types.ts";
import { prng } from "../../src/util/prng.ts";
import { sizeOf } from "../../src/util/shape.ts";
import { assertClose } from "../support/close.ts";
import { onEachDevice } from "../support/devices.ts";
import { runGraph } from "../support/run_graph.ts";
import { anySight, graphLike, observationLike, seedLike, slotLike } from "./observations.ts";

const BLUEPRINTS = ["se", "conv3", "affine"];
const policy = createGraphPolicy(BLUEPRINTS);
const UNPADDED = { batch: 1, actions: 1, nodes: 10, edges: 10, slots: 2 };

function parametersOf(shape: BatchShape = UNPADDED) {
  const scope = new TraceScope();
  const outputs = policy.forward(scope, shape);
  return { parameters: scope.parameters, outputs };
}

/** Weights as training begins with, but for scores that tell actions apart. */
const weights: Feeds = Object.fromEntries(
  parametersOf().parameters.map(({ name, shape, init }) => {
    const values = initialise(name, shape, init, 1);
    return [name, name.startsWith("score/") ? values.map((value) => 800 * value) : values];
  }),
);
const act = createActor(policy, weights);

/** Scores of the legal actions and the value, of one observation. */
function opinionOf(observation: Observation): { logits: number[]; value: number } {
  const { logits, values } = act([observation]);
  return { logits: observation.legal.map((_, k) => logits[k]), value: values[0] };
}

/** The same in another order: nodes, slots and actions, each by an order of its own. */
function reordered(observation: Observation, seed: number): Observation {
  const random = prng(seed, "order");
  const shuffled = <T>(values: readonly T[]): T[] => {
    const places = values.map((_, k) => k);
    random.shuffle(places);
    return places.map((place) => values[place]);
  };
  const { graph, slots, legal } = observation;
  const order = shuffled(graph.nodes.map((_, k) => k));
  const place = (node: number) => order.indexOf(node);
  return {
    ...observation,
    graph: {
      nodes: order.map((node) => graph.nodes[node]),
      edges: shuffled(graph.edges).map(([from, to]): [number, number] => [place(from), place(to)]),
      slots: Object.fromEntries(
        shuffled(Object.entries(graph.slots)).map(([slot, node]) => [slot, place(node)]),
      ),
    },
    slots: shuffled(slots),
    legal: shuffled(legal),
  };
}

Deno.test("the policy has about 60,000 parameters, the same for every shape", () => {
  const count = (shape?: BatchShape) =>
    parametersOf(shape).parameters.reduce((total, parameter) => total + sizeOf(parameter.shape), 0);
  assert(count() > 50_000 && count() < 75_000, `${count()}`);
  assertEquals(count({ batch: 4, actions: 32, nodes: 80, edges: 96, slots: 16 }), count());
});

Deno.test("values are the same and scores go with their actions in any order of nodes, slots and actions", () => {
  fc.assert(
    fc.property(anySight, fc.nat(1000), (observation, seed) => {
      const other = reordered(observation, seed);
      const here = opinionOf(observation), there = opinionOf(other);
      assertAlmostEquals(here.value, there.value, 1e-9);
      for (const [k, action] of observation.legal.entries()) {
        assertAlmostEquals(here.logits[k], there.logits[other.legal.indexOf(action)], 1e-9);
      }
    }),
    { numRuns: 25 },
  );
});

Deno.test("padding and company change no bit", () => {
  fc.assert(
    fc.property(fc.array(anySight, { minLength: 2, maxLength: 4 }), (observations) => {
      const alone = observations.map(opinionOf);
      const tight = policy.shapeFor(observations);
      const wide = Object.fromEntries(
        Object.entries(tight).map(([size, n]) => [size, 2 * n]),
      ) as typeof tight;
      for (const shape of [tight, wide]) {
        const { outputs: { logits, values, mask } } = parametersOf(shape);
        const [scores, worth, legal] = evaluate([logits, values, mask], {
          ...weights,
          ...policy.encode(observations, shape),
        });
        for (const [k, { logits, value }] of alone.entries()) {
          const row = [...scores.subarray(k * shape.actions, (k + 1) * shape.actions)];
          assertEquals(row.slice(0, logits.length), logits);
          assertEquals(worth[k], value);
        }
        const counts = Array.from(
          { length: shape.batch },
          (_, k) =>
            legal.subarray(k * shape.actions, (k + 1) * shape.actions).filter((bit) => bit === 1).length,
        );
        // Rows of padding have one action, so that nothing is divided by 0.
        assertEquals(counts, counts.map((_, k) => observations[k]?.legal.length ?? 1));
      }
    }),
    { numRuns: 10 },
  );
});

Deno.test("every action is about as likely as any other at first", () => {
  const fresh = Object.fromEntries(
    parametersOf().parameters.map(({ name, shape, init }) => [name, initialise(name, shape, init, 2)]),
  );
  const observation = observationLike({
    slots: [slotLike("a"), seedLike("b")],
    legal: [
      { kind: "wait" },
      ...BLUEPRINTS.map((blueprint) => ({ kind: "germinate", slot: "a", blueprint }) as const),
      { kind: "prune", slot: "b" },
    ],
  });
  const { logits } = createActor(policy, fresh)([observation]);
  const scores = Array.from({ length: 5 }, (_, k) => logits[k]);
  assert(Math.max(...scores) - Math.min(...scores) < 0.1, `${scores}`);
  assertEquals(new Set(scores).size, 5);
});

Deno.test("what differs is told apart: blueprints, known and unknown, slots, kinds of actions, edges", () => {
  const base = observationLike({ slots: [slotLike("a", { hostParams: 7 }), slotLike("b")] });
  const scores = (observation: Observation) => opinionOf(observation).logits;
  const legal: Observation["legal"] = [
    { kind: "wait" },
    ...["se", "conv3", "other", "another"].map((blueprint) =>
      ({ kind: "germinate", slot: "a", blueprint }) as const
    ),
    { kind: "germinate", slot: "b", blueprint: "se" },
    { kind: "prune", slot: "b" },
    { kind: "fossilize", slot: "b" },
  ];
  const [wait, se, conv3, other, another, ...rest] = scores({ ...base, legal });
  assertEquals(new Set([wait, se, conv3, other, ...rest]).size, 7);
  // Nothing is known of either.
  assertEquals(other, another);
  const { graph } = base;
  const cut = { ...base, graph: { ...graph, edges: graph.edges.slice(1) } };
  const turned = {
    ...base,
    graph: { ...graph, edges: graph.edges.map(([a, b]): [number, number] => [b, a]) },
  };
  assertEquals(new Set([base, cut, turned].map((one) => opinionOf(one).value)).size, 3);
});

Deno.test("what is not known is 0 with a flag, not a number that may be true", () => {
  const normaliser = new Normaliser(slotFeatures);
  const { quantities } = slotFeatures;
  const row = (differences: Parameters<typeof slotLike>[1]) => {
    const values = new Float32Array(widthOf(slotFeatures));
    const slot = slotLike("a", differences);
    normaliser.write({ slot, observation: observationLike(), blueprints: BLUEPRINTS }, values);
    const measured = quantities.filter((quantity) => quantity.measured).map(({ name }) => name);
    return {
      value: (name: string) => values[quantities.findIndex((quantity) => quantity.name === name)],
      flag: (name: string) => values[quantities.length + measured.indexOf(name)],
    };
  };
  const unknown = row({ advantage: null });
  const zero = row({ advantage: { mean: 0, se: 0.5, n: 8 } });
  const broken = row({ advantage: { mean: NaN, se: 0.5, n: 8 } });
  assertEquals([unknown.value("advantage.mean"), unknown.flag("advantage.mean")], [0, 0]);
  assertEquals([zero.value("advantage.mean"), zero.flag("advantage.mean")], [0, 1]);
  assertEquals([broken.value("advantage.mean"), broken.flag("advantage.mean")], [0, 0]);
  assert(zero.value("advantage.se") > 0);
  assertEquals(row({ gradNorm: 2, hostGradNorm: 1 }).flag("gradRatio"), 1);
  assertEquals(row({ gradNorm: 2 }).flag("gradRatio"), 0);
  // Every quantity of which nothing is known in a slot that is empty.
  for (const { name, measured } of quantities) if (measured) assertEquals(row({}).flag(name), 0, name);
});

Deno.test("lesson 23, raw losses that saturate: features are normalised by what was met in training, at most ±5, and by that alone", () => {
  const network = createGraphPolicy(BLUEPRINTS);
  const at = (progress: number, controlLoss: number | null = null) =>
    observationLike({ progress, controlLoss });
  const globalsOf = (observation: Observation) => {
    const { globals } = network.encode([observation], network.shapeFor([observation]));
    return globals as Float32Array;
  };
  const column = globalFeatures.quantities.findIndex(({ name }) => name === "progress");
  assertAlmostEquals(globalsOf(at(0.5))[column], 0.5, 1e-6);
  network.adapt!([at(0.2), at(0.4), at(0.6), at(0.8)]);
  const deviation = Math.sqrt(0.05);
  assertAlmostEquals(globalsOf(at(0.5))[column], 0, 1e-6);
  assertAlmostEquals(globalsOf(at(0.8))[column], 0.3 / deviation, 1e-6);
  assertEquals(globalsOf(at(100))[column], 5);
  assertEquals(globalsOf(at(-100))[column], -5);
  // Encoding teaches nothing, and what never varied is not blown up.
  assertAlmostEquals(globalsOf(at(0.8))[column], 0.3 / deviation, 1e-6);
  assert(globalsOf(at(0.5)).every((value) => Math.abs(value) <= 5));

  const copy = createGraphPolicy([]);
  copy.restore!(JSON.parse(JSON.stringify(network.save!())));
  const observation = observationLike({ legal: [{ kind: "germinate", slot: "a", blueprint: "conv3" }] });
  const shape = network.shapeFor([observation]);
  assertEquals(copy.encode([observation], shape), network.encode([observation], shape));
  assertThrows(() => copy.restore!({}), Error, "policy: want its normalisation, got trouble at blueprints");
  const { moments, ...rest } = network.save!() as { moments: Record<string, unknown> };
  assertThrows(
    () => copy.restore!({ ...rest, moments: { ...moments, node: {} } }),
    Error,
    "policy: want the moments of the node features, got none that fit (params); train it again",
  );
});

Deno.test("encoded into the arrays of another observation, an observation is what it is in fresh ones", () => {
  const [small, large] = [sightOf(12), sightOf(30)], shape = policy.shapeFor([large]);
  const earlier = policy.encode([large], shape), fresh = policy.encode([small], shape);
  const again = policy.encode([small], shape, earlier);
  assertEquals(again, fresh);
  for (const [name, array] of Object.entries(again)) assert(array === earlier[name], name);
});

Deno.test("a slot that the graph lacks is an error, and so is an action on it", () => {
  const lacking = { ...observationLike(), graph: graphLike(["b"]) };
  const acting = observationLike({ legal: [{ kind: "prune", slot: "z" }] });
  for (const [observation, slot] of [[lacking, "a"], [acting, "z"]] as const) {
    assertThrows(
      () => policy.encode([observation], policy.shapeFor([observation])),
      Error,
      `policy: want slot ${slot} in the graph and among the slots, got none of that name`,
    );
  }
});

/** A loss of all scores and values, its gradients, and the numbers for them. */
function learning() {
  const observations = [
    observationLike({
      slots: [seedLike("a", { advantage: { mean: 0.02, se: 0.01, n: 8 } }), slotLike("b")],
      legal: [
        { kind: "wait" },
        ...BLUEPRINTS.map((blueprint) => ({ kind: "germinate", slot: "b", blueprint }) as const),
        { kind: "prune", slot: "a" },
      ],
    }),
    observationLike({
      tick: 3,
      slots: ["a", "b", "c"].map((name, k) => slotLike(name, { hostParams: 50 * k })),
      legal: [{ kind: "wait" }, { kind: "germinate", slot: "c", blueprint: "se" }],
    }),
  ];
  const shape = policy.shapeFor(observations);
  const { parameters, outputs: { logits, mask, values } } = parametersOf(shape);
  const loss = add(mean(square(mul(logits, mask))), mean(square(values)));
  const grads = gradients(loss, parameters.map(({ tensor }) => tensor));
  const inputs = new Set(reachable([logits, mask, values]).map(({ source }) => source?.name));
  const encoded = Object.entries(policy.encode(observations, shape)).filter(([name]) => inputs.has(name));
  const feeds: Feeds = { ...weights, ...Object.fromEntries(encoded) };
  return { parameters, outputs: [logits, values, ...grads], feeds };
}

Deno.test("lesson 19, heads that starve: every parameter learns from scores and values", () => {
  const { parameters, outputs, feeds } = learning();
  const [, , ...grads] = evaluate(outputs, feeds);
  for (const [k, { name }] of parameters.entries()) {
    assert(grads[k].some((value) => value !== 0), `${name} has no gradient`);
  }
});

onEachDevice("scores, values and gradients of a batch of graphs equal the reference", async (gpu) => {
  const { outputs, feeds } = learning();
  const want = evaluate(outputs, feeds);
  const got = await runGraph(gpu, outputs, feeds);
  // Eight layers, one behind the other.
  for (const [k, tensor] of outputs.entries()) {
    assertClose(got[k], want[k], { slack: 256, terms: 192 }, `${tensor}`);
  }
});

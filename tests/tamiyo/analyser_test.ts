/** The graph of a network as controllers see it. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { type ModelGraph, OP_CLASSES } from "../../src/contracts/model_graph.ts";
import {
  add,
  cnn,
  concat,
  conv,
  dense,
  groupNorm,
  matmul,
  maxPool2d,
  mean,
  mlp,
  type Model,
  mul,
  relu,
  reshape,
  resnet,
  sigmoid,
  softmax,
  stepInput,
  TraceScope,
  transpose,
} from "../../src/engine/mod.ts";
import { analyser, candidatesOf } from "../../src/app/analysis.ts";
import { flopsOf } from "../../src/engine/compile/schedule.ts";
import { type LiveSeeds, morph } from "../../src/kasmina/mod.ts";
import { build, findBlueprint, fitOf } from "../../src/tezzeret/mod.ts";
import { modelGraph } from "../../src/tamiyo/analyser/model_graph.ts";
import type { Topology } from "../../src/tolaria/mod.ts";
import { sizeOf } from "../../src/util/shape.ts";

const liveSeeds = (topology: Topology): LiveSeeds =>
  Object.fromEntries(
    Object.entries(topology).map(([slot, { seed, blueprint, mode }]) => [
      slot,
      { seed, mode, branch: (scope, h) => build(findBlueprint(blueprint), scope, h) },
    ]),
  );

/** The graph of a model, what the model has in all, and the graph that its batches of five make. */
function analyse(model: Model, topology: Topology = {}, slots = ["*"]) {
  const network = morph(model, slots);
  const scope = new TraceScope();
  const trace = (rows: number) =>
    network.trace(scope, stepInput("x", [rows, ...model.input]), liveSeeds(topology));
  const graphOf = (rows: number) => {
    const { logits, taps } = trace(rows);
    return modelGraph(logits, Object.fromEntries(network.slots.map(({ name }) => [name, taps.get(name)!])));
  };
  const graph = graphOf(1);
  const params = scope.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return { graph, five: graphOf(5), params, flops: flopsOf([trace(1).logits]) };
}

const opsOf = ({ nodes }: ModelGraph) => nodes.map(({ op }) => op).join(" ");
const total = ({ nodes }: ModelGraph, what: "params" | "flops") =>
  nodes.reduce((sum, node) => sum + node[what], 0);

/** Attention over four positions, a gate, a shared weight and a concatenation: nothing that a host has. */
const odd: Model = {
  name: "odd",
  input: [4, 6],
  classes: 3,
  forward(scope, x) {
    const weight = scope.parameter("shared", [6, 6], { kind: "he", fanIn: 6 });
    const project = (h: typeof x) => reshape(matmul(reshape(h, [sizeOf(h.shape) / 6, 6]), weight), h.shape);
    const keys = project(x);
    const scores = softmax(matmul(keys, x, { transposeB: true }));
    const values = project(matmul(scores, x));
    const gated = scope.tap("gated", mul(values, sigmoid(keys)));
    const both = concat([gated, transpose(reshape(x, [x.shape[0], 4, 6]), [0, 1, 2])], 2);
    return dense(scope, "head", reshape(both, [x.shape[0], 48]), 3);
  },
};

const HOSTS: Record<string, Model> = {
  cnn: cnn([8, 8, 3], 10, [4, 8]),
  mlp: mlp([2], 3, [16, 8]),
  resnet: resnet([8, 8, 3], 10, { width: 4, blocks: [1, 1], norm: "batch", groupSize: 2 }),
  "user's": odd,
};

for (const [name, model] of Object.entries(HOSTS)) {
  Deno.test(`graph of a ${name} network: all its parameters and FLOPs, in order, from the input on`, () => {
    const { graph, five, params, flops } = analyse(model);
    assertEquals(total(graph, "params"), params);
    assertAlmostEquals(total(graph, "flops"), flops, 1e-6);
    assert(graph.edges.every(([from, to]) => from < to), "an edge points back");
    assertEquals(new Set(graph.edges.map(String)).size, graph.edges.length);
    assert(graph.nodes.every(({ op }) => OP_CLASSES.includes(op)));
    const fed = new Set(graph.edges.map(([, to]) => to));
    graph.nodes.forEach(({ op }, k) => assertEquals(fed.has(k), op !== "input"));
    for (const [from, to] of graph.edges) assert(graph.nodes[from].depth < graph.nodes[to].depth);
    assertEquals([graph.nodes[0].depth, graph.nodes.at(-1)!.depth], [0, 1]);
    assert(Object.values(graph.slots).every((node) => graph.nodes[node].op === "slot"));
    // The size of the batch is no matter.
    assertEquals(five.edges, graph.edges);
    assertEquals(five.nodes.map(({ params, op }) => [params, op]), graph.nodes.map((n) => [n.params, n.op]));
  });
}

Deno.test("graph: layers as nodes, with the bias, the scalings and the views behind them", () => {
  const { graph } = analyse(HOSTS.cnn);
  assertEquals(
    opsOf(graph),
    "input conv norm activation pool slot conv norm activation pool slot pool product",
  );
  assertEquals(graph.edges, graph.nodes.slice(1).map((_, k) => [k, k + 1]));
  assertEquals(graph.slots, { block1: 5, block2: 10 });
  const [, first, norm, , pool] = graph.nodes;
  assertEquals([first.channels, first.pixels, first.params], [4, 64, 3 * 3 * 3 * 4]);
  assertEquals([norm.channels, norm.pixels, norm.params], [4, 64, 8]);
  assertEquals([pool.channels, pool.pixels, pool.params], [4, 16, 0]);
  const head = graph.nodes.at(-1)!;
  assertEquals([head.channels, head.pixels, head.params], [10, 1, 8 * 10 + 10]);
});

Deno.test("graph: a shortcut is a way beside, and joins in a sum", () => {
  const { graph } = analyse(HOSTS.resnet);
  const sums = graph.nodes.flatMap(({ op }, k) => op === "sum" ? [k] : []);
  assertEquals(sums.length, 2);
  for (const sum of sums) assertEquals(graph.edges.filter(([, to]) => to === sum).length, 2);
});

Deno.test("graph of a grown network: the seed's branch between its slot and a sum, whatever its strength", () => {
  const plain = analyse(HOSTS.cnn).graph;
  const seed = { seed: "block1/1", blueprint: "dwsep" };
  const grown = (["blend", "fossil"] as const).map((mode) =>
    analyse(HOSTS.cnn, { block1: { ...seed, mode } })
  );
  for (const { graph, params, flops } of grown) {
    assertEquals(opsOf(graph).replaceAll(" ", "-").includes("slot-depthwise-norm"), true, opsOf(graph));
    assertEquals(total(graph, "params"), params);
    assertAlmostEquals(total(graph, "flops"), flops, 1e-6);
    const slot = graph.slots.block1;
    const sum = graph.edges.find(([from, to]) => from === slot && graph.nodes[to].op === "sum");
    assert(sum, "nothing is added to the activation at the slot");
    assert(graph.nodes.length > plain.nodes.length);
  }
  assertEquals(grown[0].graph.edges, grown[1].graph.edges);
  // A seed that only scales is a node of its own, not part of the slot.
  const { graph } = analyse(HOSTS.cnn, { block1: { seed: "block1/1", blueprint: "affine", mode: "blend" } });
  assertEquals(opsOf(graph).includes("pool slot other sum conv"), true, opsOf(graph));
});

Deno.test("graph: seeds stand where they will be blended in, however they train, and are looked at once", () => {
  const network = morph(HOSTS.cnn, ["block*"]);
  const analyseRun = analyser(network, liveSeeds);
  const at = (mode: "shadow" | "ste" | "blend", blueprint = "conv3") =>
    analyseRun({ block2: { seed: "block2/1", blueprint, mode } });
  const shadow = at("shadow");
  assertEquals(at("ste"), shadow);
  assertEquals(at("blend"), shadow);
  assert(at("blend") === shadow, "the same seeds were analysed again");
  assert(at("blend", "se") !== shadow);
  assertEquals(analyseRun({}), analyse(HOSTS.cnn).graph);
});

Deno.test("graph: slots of one activation stand one behind the other; names change nothing", () => {
  const named = (names: readonly string[]): Model => ({
    name: "pair",
    input: [5],
    classes: 2,
    forward(scope, x) {
      const h = relu(dense(scope, `${names[0]} layer`, x, 4));
      const tapped = names.reduce((y, tap) => scope.tap(tap, y), h);
      return dense(scope, "head", tapped, 2);
    },
  });
  const one = analyse(named(["a", "b"])).graph, other = analyse(named(["y", "x"])).graph;
  assertEquals(opsOf(one), "input product activation slot slot product");
  assertEquals(one.slots, { a: 3, b: 4 });
  assertEquals(other, { ...one, slots: { y: 3, x: 4 } });
});

Deno.test("graph: two inputs, an activation that nothing follows, a pool behind a norm", () => {
  const scope = new TraceScope();
  const image = stepInput("image", [3, 4, 4, 2]), extra = stepInput("extra", [3, 4, 4, 2]);
  const alpha = stepInput("alpha", []);
  const h = groupNorm(
    scope,
    "norm",
    conv(scope, "conv", add(image, mul(alpha, extra)), { out: 4, kernel: 1 }),
  );
  const loose = relu(h);
  const y = mean(maxPool2d(h, { kernel: 2, stride: 2 }), [1, 2]);
  const graph = modelGraph(y, { loose });
  assertEquals(opsOf(graph), "input input other sum conv norm activation slot pool pool");
  assertEquals(graph.edges, [[1, 2], [0, 3], [2, 3], [3, 4], [4, 5], [5, 6], [6, 7], [5, 8], [8, 9]]);
});

Deno.test("candidates: what a blueprint costs where it fits, and what it is made of", () => {
  const network = morph(HOSTS.mlp, ["*"]);
  const candidates = candidatesOf(network, ["mlp", "conv3", "affine"].map((name) => findBlueprint(name)));
  assertEquals(Object.keys(candidates), ["layer1", "layer2"]);
  const { layer1 } = candidates;
  // A 3×3 convolution has nothing to do behind a dense layer.
  assertEquals(Object.keys(layer1), ["mlp", "affine"]);
  const fit = fitOf(findBlueprint("mlp"), [16]);
  assert(fit.fits);
  assertEquals([layer1.mlp.params, layer1.mlp.flops], [fit.parameters, fit.flops]);
  assertEquals(layer1.affine.ops, { other: 1 });
  assertEquals((layer1.mlp.ops.product ?? 0) + (layer1.mlp.ops.conv ?? 0), 2);
});

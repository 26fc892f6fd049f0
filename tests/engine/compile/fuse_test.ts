import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { formulaOf, fuse } from "../../../src/engine/compile/fuse.ts";
import { evaluate } from "../../../src/engine/compile/reference.ts";
import { materialise, resident, type Tensor } from "../../../src/engine/graph/tensor.ts";
import { memoryOf, reachable } from "../../../src/engine/graph/trace.ts";
import {
  add,
  full,
  leakyRelu,
  maximum,
  mul,
  neg,
  relu,
  square,
  sub,
} from "../../../src/engine/ops/elementwise.ts";
import { broadcastTo, sum } from "../../../src/engine/ops/reduce.ts";
import { reshape } from "../../../src/engine/ops/shape.ts";
import { type Shape, sizeOf } from "../../../src/util/shape.ts";
import { onEachDevice } from "../../support/devices.ts";
import { runGraph } from "../../support/run_graph.ts";
import { testRandom } from "../../support/values.ts";

/** Node makers that map integers to integers (and halves), so that float32 and float64 agree bit for bit. */
const MAKERS: readonly ((a: Tensor, b: Tensor) => Tensor)[] = [
  add,
  sub,
  mul,
  maximum,
  neg,
  relu,
  square,
  (a) => leakyRelu(a, 0.5),
  (a) => add(a, full(a.shape, 3)),
  (a) => mul(-2, a),
  (a, b) => sub(full([], 1), maximum(a, b)),
  (a) => reshape(reshape(a, [sizeOf(a.shape)]), a.shape),
  (a) => a.shape.length === 0 ? a : sum(a, [a.shape.length - 1], true),
  (a, b) => add(broadcastTo(a, add(a, b).shape), 1),
];

/** Shapes that all broadcast together: with a last dimension of whole vectors, without, and of one number. */
const FAMILIES: readonly (readonly Shape[])[] = [
  [[2, 3, 8], [8], [2, 1, 1], [3, 1], [1, 3, 8], [], [2, 1, 8]],
  [[2, 3, 5], [5], [2, 1, 1], [3, 1], [], [2, 3, 1]],
  [[4, 1], [1], [1, 1], []],
  [[2, 1, 3, 4], [3, 4], [2, 1, 1, 4], [1, 4], [2, 1, 3, 1]],
];

interface Dag {
  readonly outputs: readonly Tensor[];
  readonly feeds: Record<string, Float64Array>;
}

const dags = fc.record({
  family: fc.constantFrom(...FAMILIES),
  inputs: fc.array(fc.nat(6), { minLength: 2, maxLength: 9 }),
  nodes: fc.array(
    fc.record({ maker: fc.nat(MAKERS.length - 1), a: fc.nat(99), b: fc.nat(99), kind: fc.nat(7) }),
    { minLength: 1, maxLength: 14 },
  ),
  recent: fc.boolean(),
}).map(({ family, inputs, nodes, recent }): Dag => {
  const random = testRandom(`${inputs} ${nodes.length}`);
  const feeds: Record<string, Float64Array> = {};
  const made: Tensor[] = inputs.map((shape, k) => {
    const source = resident(`in${k}`, family[shape % family.length], "f32");
    feeds[`in${k}`] = Float64Array.from({ length: sizeOf(source.shape) }, () => Math.floor(random() * 5) - 2);
    return source;
  });
  const outputs = new Set<Tensor>();
  for (const { maker, a, b, kind } of nodes) {
    // Recent operands make deep chains, any operands make wide graphs.
    const pick = (n: number) => made[recent ? Math.max(0, made.length - 1 - n % 3) : n % made.length];
    const node = MAKERS[maker](pick(a), pick(b));
    made.push(kind === 0 && node.op ? materialise(node) : node);
    if (kind === 1) outputs.add(node);
  }
  return { outputs: [...outputs.add(made.at(-1)!)], feeds };
});

/** Whether every value on the way is exact in float32: a multiple of 2^-8 below 2^16, say. */
function isExact({ outputs, feeds }: Dag): boolean {
  return evaluate(reachable(outputs), feeds).every((values) =>
    values.every((value: number) => Math.abs(value) < 2 ** 16 && Number.isInteger(value * 2 ** 8))
  );
}

onEachDevice("A fused program computes exactly what the references compute node by node", async (gpu) => {
  await fc.assert(
    fc.asyncProperty(dags.filter(isExact), async ({ outputs, feeds }) => {
      const got = await runGraph(gpu, outputs, feeds);
      const want = evaluate(outputs, feeds);
      for (const [k, values] of want.entries()) {
        // Adding 0 makes -0 equal to 0: max(-0, 0) may be either.
        assertEquals(Float64Array.from(got[k], (v) => v + 0), Float64Array.from(values, (v) => v + 0));
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("fuse() puts each node in a kernel, within the limits, and separates what must be in memory", () => {
  fc.assert(fc.property(dags, ({ outputs }) => {
    const order = reachable(outputs), kept = new Set(outputs.map(memoryOf));
    const groups = fuse(order, kept);
    const computed = new Set([...groups.values()].flatMap(({ nodes }) => nodes));
    for (const node of order) {
      if (formulaOf(node.op)) assert(computed.has(node), `${node} is computed nowhere`);
      if (formulaOf(node.op) && (kept.has(node) || node.materialised)) assert(groups.has(node));
    }
    for (const [result, { nodes, reads }] of groups) {
      assertStrictEquals(nodes.at(-1), result);
      assert(reads.length <= 7 && new Set(reads).size === reads.length);
      assert(nodes.length <= 24 && new Set(nodes).size === nodes.length);
      const known = new Set<Tensor>(reads);
      for (const node of nodes) {
        for (const input of node.inputs) assert(known.has(input), `${input} is not there for ${node}`);
        known.add(node);
        const constant = node.inputs.length === 0;
        assert(node === result || constant || (!node.materialised && !kept.has(node)));
      }
      for (const read of reads) assert(!formulaOf(read.op) || groups.has(read), `${read} is not in memory`);
    }
  }));
});

Deno.test("fuse() makes one kernel of a chain, and splits it where a node is materialised or has two readers", () => {
  const x = resident("x", [4], "f32");
  const kernels = (y: Tensor) => fuse(reachable([y]), new Set([y])).size;
  assertEquals(kernels(relu(add(mul(x, 2), 1))), 1);
  assertEquals(kernels(relu(materialise(add(mul(x, 2), 1)))), 2);
  const shared = add(mul(x, 2), 1);
  assertEquals(kernels(add(relu(shared), sum(neg(shared), [0], true))), 3);
});

Deno.test("fuse() splits a kernel that would read more than seven tensors or grow beyond 24 nodes", () => {
  const sources = Array.from({ length: 12 }, (_, k) => resident(`x${k}`, [4], "f32"));
  const wide = sources.reduce((total, source) => add(total, source));
  assertEquals([...fuse(reachable([wide]), new Set([wide])).values()].map((g) => g.reads.length), [7, 6]);
  let deep: Tensor = sources[0];
  for (let k = 0; k < 60; k++) deep = neg(deep);
  const sizes = [...fuse(reachable([deep]), new Set([deep])).values()].map((g) => g.nodes.length);
  assertEquals(sizes.reduce((a, b) => a + b), 60);
  assert(Math.max(...sizes) <= 24);
});

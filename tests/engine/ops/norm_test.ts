import { assertEquals, assertThrows } from "@std/assert";
import { evaluate } from "../../../src/engine/compile/reference.ts";
import { gradients } from "../../../src/engine/graph/gradients.ts";
import { resident, type Tensor } from "../../../src/engine/graph/tensor.ts";
import { mul } from "../../../src/engine/ops/elementwise.ts";
import { batchNorm, batchStats, fixedNorm, groupNorm } from "../../../src/engine/ops/norm.ts";
import { mean, sum } from "../../../src/engine/ops/reduce.ts";
import { reshape, slice } from "../../../src/engine/ops/shape.ts";
import { type Shape, sizeOf } from "../../../src/util/shape.ts";
import { assertClose } from "../../support/close.ts";
import { onEachDevice } from "../../support/devices.ts";
import { runGraph } from "../../support/run_graph.ts";
import { fillInput, testRandom } from "../../support/values.ts";

type Norm = (x: Tensor, gamma: Tensor, beta: Tensor) => Tensor;

const settings: readonly { name: string; shape: Shape; norm: Norm }[] = [
  {
    name: "groupNorm() of images",
    shape: [2, 3, 3, 8],
    norm: (x, g, b) => groupNorm(x, g, b, { groups: 2 }),
  },
  { name: "groupNorm() of rows", shape: [5, 12], norm: (x, g, b) => groupNorm(x, g, b, { groups: 4 }) },
  {
    name: "groupNorm() of one channel each",
    shape: [2, 4, 3],
    norm: (x, g, b) => groupNorm(x, g, b, { groups: 3 }),
  },
  { name: "batchNorm() of images", shape: [3, 4, 4, 8], norm: (x, g, b) => batchNorm(x, g, b) },
  {
    name: "batchNorm() of rows, odd",
    shape: [6, 5],
    norm: (x, g, b) => batchNorm(x, g, b, { epsilon: 1e-3 }),
  },
];

function instance(shape: Shape, norm: Norm, seed: string) {
  const random = testRandom(seed);
  const c = shape.at(-1)!;
  const shapes: Record<string, Shape> = { x: shape, gamma: [c], beta: [c], weights: shape };
  const feeds = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, Float64Array.from(fillInput({ shape }, random))]),
  );
  const [x, gamma, beta, weights] = Object.entries(shapes).map(([name, s]) => resident(name, s, "f32"));
  const y = norm(x, gamma, beta);
  const loss = sum(mul(y, weights));
  return { feeds, wrt: [x, gamma, beta], y, loss, grads: gradients(loss, [x, gamma, beta]) };
}

for (const { name, shape, norm } of settings) {
  Deno.test(`${name}: gradients equal central differences`, () => {
    const { feeds, wrt, loss, grads } = instance(shape, norm, name);
    const analytic = evaluate(grads, feeds);
    for (const [k, tensor] of wrt.entries()) {
      const key = tensor.source!.name;
      const numeric = Float64Array.from(feeds[key], (value, i) => {
        const at = (h: number) => {
          const moved = feeds[key].slice();
          moved[i] = value + h;
          return evaluate([loss], { ...feeds, [key]: moved })[0][0];
        };
        return (at(1e-5) - at(-1e-5)) / 2e-5;
      });
      assertClose(analytic[k], numeric, { slack: 4, terms: 1 }, `gradient of ${tensor}`);
    }
  });

  onEachDevice(`${name}: result and gradients equal the reference`, async (gpu) => {
    const { feeds, y, grads } = instance(shape, norm, name);
    const want = evaluate([y, ...grads], feeds);
    const got = await runGraph(gpu, [y, ...grads], feeds);
    for (const [k, values] of want.entries()) {
      assertClose(got[k], values, { slack: 32, terms: sizeOf(shape) / shape[0] }, `output ${k}`);
    }
  });
}

Deno.test("groupNorm() of equal values is beta", () => {
  const x = resident("x", [2, 3, 4], "f32"), gamma = resident("gamma", [4], "f32");
  const beta = resident("beta", [4], "f32");
  const feeds = { x: new Array(24).fill(7), gamma: [1, 2, 3, 4], beta: [5, 6, 7, 8] };
  const [y] = evaluate([groupNorm(x, gamma, beta, { groups: 2 })], feeds);
  assertEquals([...y], Array.from({ length: 24 }, (_, i) => 5 + i % 4));
});

Deno.test("batchStats() are the mean and the biased variance of each channel", () => {
  const x = resident("x", [2, 2, 2], "f32");
  const [stats] = evaluate([batchStats(x)], { x: [1, 10, 2, 10, 3, 10, 4, 14] });
  assertEquals([...stats], [2.5, 11, 1.25, 3]);
});

Deno.test("fixedNorm() with the statistics of the batch equals batchNorm()", () => {
  const { feeds, wrt: [x, gamma, beta] } = instance([3, 2, 2, 4], (x) => mean(x), "fixed");
  const stats = batchStats(x);
  const part = (k: number) => reshape(slice(stats, [k, 0, 0], [1, 1, 4]), [4]);
  const [want, got] = evaluate(
    [batchNorm(x, gamma, beta, { stats }), fixedNorm(x, part(0), part(1), gamma, beta)],
    feeds,
  );
  assertClose(got, want, { slack: 1, terms: 1 }, "fixedNorm");
});

Deno.test("groupNorm() names groups that do not divide the channels", () => {
  const x = resident("x", [2, 6], "f32"), gamma = resident("gamma", [6], "f32");
  assertThrows(
    () => groupNorm(x, gamma, gamma, { groups: 4 }),
    RangeError,
    "groupStats: want groups that divide 6 channels, got 4; choose a divisor of 6",
  );
});

/** Products by the CPU's vectors. */
import { assert, assertEquals } from "@std/assert";
import { evaluate, prepareEvaluation } from "../../../src/engine/compile/reference.ts";
import { matmul, stepInput } from "../../../src/engine/mod.ts";
import { vectorProduct } from "../../../src/engine/ops/vector_product.ts";
import { testRandom } from "../../support/values.ts";

const random = testRandom("vector product");
const draw = (size: number) => Float64Array.from({ length: size }, () => random() - 0.5);

Deno.test("products by vectors are those of the reference to the last bit, in every size", () => {
  for (
    const [m, k, n] of [[1, 1, 8], [2, 3, 8], [3, 64, 16], [40, 37, 64], [7, 5, 24], [257, 130, 128]] as const
  ) {
    const a = stepInput("a", [m, k]), b = stepInput("b", [k, n]);
    const feeds = { a: draw(m * k), b: draw(k * n) };
    const y = new Float64Array(m * n).fill(NaN);
    assert(vectorProduct(feeds.a, feeds.b, y, m, k, n), `${m}×${k}×${n} was refused`);
    assertEquals(y, evaluate([matmul(a, b)], feeds)[0]);
  }
});

Deno.test("products by vectors pass on NaN, infinities and signs of zero", () => {
  const a = Float64Array.of(NaN, 0, Infinity, 0, -1, 0), b = new Float64Array(16).fill(-0, 0, 8).fill(1, 8);
  const y = new Float64Array(24);
  assert(vectorProduct(a, b, y, 3, 2, 8));
  const want = evaluate([matmul(stepInput("a", [3, 2]), stepInput("b", [2, 8]))], { a, b })[0];
  assertEquals([...y].map((value) => Object.is(value, -0) ? "-0" : `${value}`), [...want].map(String));
});

Deno.test("what vectors cannot do the reference does", () => {
  assertEquals(vectorProduct(draw(4), draw(6), new Float64Array(6), 2, 2, 3), false);
  const x = stepInput("x", [2, 3]), batch = stepInput("batch", [2, 8, 8]);
  const outputs = [
    matmul(x, x, { transposeA: true }),
    matmul(x, x, { transposeB: true }),
    matmul(batch, batch),
    matmul(x, stepInput("w", [3, 2])),
  ];
  const feeds = { x: draw(6), batch: draw(128), w: draw(6) };
  assertEquals(prepareEvaluation(outputs)(feeds), evaluate(outputs, feeds));
});

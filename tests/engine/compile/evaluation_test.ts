/** Graphs on the CPU: made ready once, run many times. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { evaluate, prepareEvaluation } from "../../../src/engine/compile/reference.ts";
import { add, cnn, matmul, stepInput, TraceScope } from "../../../src/engine/mod.ts";
import { gradients } from "../../../src/engine/graph/gradients.ts";
import { sum } from "../../../src/engine/ops/reduce.ts";
import { sizeOf } from "../../../src/util/shape.ts";
import { testRandom } from "../../support/values.ts";

Deno.test("prepareEvaluation() gives the numbers of evaluate(), run after run, constants given once", () => {
  const scope = new TraceScope();
  const x = stepInput("x", [2, 4, 4, 3]);
  const logits = cnn([4, 4, 3], 5, [4]).forward(scope, x);
  const outputs = [logits, ...gradients(sum(logits), scope.parameters.map(({ tensor }) => tensor))];
  const random = testRandom("weights");
  const draw = (size: number) => Float32Array.from({ length: size }, () => random() - 0.5);
  const weights = Object.fromEntries(scope.parameters.map(({ name, shape }) => [name, draw(sizeOf(shape))]));
  const run = prepareEvaluation(outputs, weights);
  for (const values of [draw(96), draw(96)]) {
    assertEquals(run({ x: values }), evaluate(outputs, { ...weights, x: values }));
  }
  assertThrows(() => run({}), Error, 'evaluate: want 96 values for step "x" f32 [2, 4, 4, 3], got none');
});

Deno.test("prepareEvaluation() keeps its memory, and leaves what it was given alone", () => {
  const x = stepInput("x", [2, 2]);
  const run = prepareEvaluation([matmul(add(x, 1), x)]);
  const given = Float64Array.of(1, 2, 3, 4);
  const [first] = run({ x: given });
  assertEquals([...first], [11, 16, 19, 28]);
  const [second] = run({ x: [0, 0, 0, 0] });
  assert(first === second);
  assertEquals([...second, ...given], [0, 0, 0, 0, 1, 2, 3, 4]);
});

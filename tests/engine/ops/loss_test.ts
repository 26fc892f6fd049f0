import { assert, assertEquals, assertThrows } from "@std/assert";
import { evaluate } from "../../../src/engine/compile/reference.ts";
import type { Values } from "../../../src/engine/graph/op.ts";
import { gradients } from "../../../src/engine/graph/gradients.ts";
import { resident, type Tensor } from "../../../src/engine/graph/tensor.ts";
import { reachable } from "../../../src/engine/graph/trace.ts";
import { mul } from "../../../src/engine/ops/elementwise.ts";
import { correct, meanCrossEntropy, softmaxCrossEntropy } from "../../../src/engine/ops/loss.ts";
import { mean, sum } from "../../../src/engine/ops/reduce.ts";

const logits = resident("logits", [4, 3], "f32"), labels = resident("labels", [4], "u32");
const feeds = { logits: [1, 2, 3, 0, 1, 0, -1, 0, 2, 5, 5, 1], labels: [2, 0, 1, 0] };

const opsOf = (outputs: readonly Tensor[]) => reachable(outputs).flatMap(({ op }) => op ? [op.name] : []);

function assertAlmost(got: Values, want: Values): void {
  assertEquals(got.length, want.length);
  for (const [k, value] of want.entries()) {
    assert(Math.abs(got[k] - value) < 1e-12, `${k}: ${got} for ${want}`);
  }
}

Deno.test("meanCrossEntropy() has loss, share of correct rows and gradient in one node, as their ops have them", () => {
  const options = { smoothing: 0.1 };
  const { loss, scores } = meanCrossEntropy(logits, labels, options);
  const [gradient] = gradients(loss, [logits]);
  const computed = opsOf([loss, scores, gradient]).filter((name) => !["range", "full"].includes(name));
  assertEquals(computed, ["meanCrossEntropy", "meanCrossEntropyLoss"]);
  const rows = mean(softmaxCrossEntropy(logits, labels, options));
  const apart = [rows, mean(correct(logits, labels)), ...gradients(rows, [logits])];
  const [wantLoss, wantCorrect, wantGradient] = evaluate(apart, feeds);
  const [gotLoss, gotScores, gotGradient] = evaluate([loss, scores, gradient], feeds);
  assertAlmost(gotLoss, wantLoss);
  assertAlmost(gotScores, [wantLoss[0], wantCorrect[0], ...new Array(62).fill(0)] as unknown as Values);
  assertAlmost(gotGradient, wantGradient);
});

Deno.test("meanCrossEntropy() is multiplied by the cotangent that gradients() begins with", () => {
  const cotangent = resident("scale", [], "f32");
  const { loss } = meanCrossEntropy(logits, labels, { cotangent });
  const [scaled] = gradients(loss, [logits], [], cotangent);
  const plain = meanCrossEntropy(logits, labels).loss;
  const [later] = gradients(mul(plain, 8), [logits]);
  assertEquals(opsOf([scaled]), ["meanCrossEntropy", "range"]);
  const [got, want] = evaluate([scaled, later], { ...feeds, scale: [8] });
  assertAlmost(got, want);
  assertThrows(
    () => gradients(loss, [logits]),
    TypeError,
    "meanCrossEntropy: want its gradient by the cotangent that it was given, got another; hand the same tensor to gradients()",
  );
});

Deno.test("gradients of weighted losses follow the weights", () => {
  const weights = resident("weights", [4], "f32");
  const [gradient] = gradients(sum(mul(softmaxCrossEntropy(logits, labels), weights)), [logits]);
  const [values] = evaluate([gradient], { ...feeds, weights: [0, 1, 0, 0] });
  assertEquals(
    [...values].map((value) => value !== 0),
    Array.from({ length: 12 }, (_, i) => i >= 3 && i < 6),
  );
});

import { assertEquals } from "@std/assert";
import { evaluate } from "../../../src/engine/compile/reference.ts";
import { gradients } from "../../../src/engine/graph/gradients.ts";
import { resident } from "../../../src/engine/graph/tensor.ts";
import { reachable } from "../../../src/engine/graph/trace.ts";
import { mul } from "../../../src/engine/ops/elementwise.ts";
import { correct, softmaxCrossEntropy } from "../../../src/engine/ops/loss.ts";
import { mean, sum } from "../../../src/engine/ops/reduce.ts";

const logits = resident("logits", [4, 3], "f32"), labels = resident("labels", [4], "u32");
const feeds = { logits: [1, 2, 3, 0, 1, 0, -1, 0, 2, 5, 5, 1], labels: [2, 0, 1, 0] };

Deno.test("mean() of losses and of correct rows is one node each, and so is the gradient", () => {
  const loss = mean(softmaxCrossEntropy(logits, labels, { smoothing: 0.1 }));
  const [gradient] = gradients(loss, [logits]);
  const ops = (outputs: typeof loss[]) => reachable(outputs).flatMap(({ op }) => op ? [op.name] : []);
  assertEquals(ops([loss]), ["softmaxCrossEntropySum"]);
  assertEquals(ops([mean(correct(logits, labels))]), ["correctSum"]);
  assertEquals(ops([gradient]), ["softmaxCrossEntropyGradient"]);
});

Deno.test("sum() of losses equals the sum over their rows", () => {
  const rows = softmaxCrossEntropy(logits, labels);
  const weighted = sum(mul(rows, 0.5));
  const [one, other] = evaluate([sum(rows, [0], true, 0.5), weighted], feeds);
  assertEquals(Math.abs(one[0] - other[0]) < 1e-12, true);
  assertEquals(evaluate([mean(correct(logits, labels))], feeds)[0][0], 0.5);
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

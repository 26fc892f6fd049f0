/** Gradient rules against central differences; `tests/conformance` compares every kernel with its reference. */
import { evaluate, type Feeds } from "../../../src/engine/compile/reference.ts";
import { gradients } from "../../../src/engine/graph/gradients.ts";
import type { Values } from "../../../src/engine/graph/op.ts";
import type { Tensor } from "../../../src/engine/graph/tensor.ts";
import { sizeOf } from "../../../src/util/shape.ts";
import { allCases } from "../../cases/all.ts";
import { gradientGraph, isDifferentiable } from "../../support/case_checks.ts";
import { assertClose } from "../../support/close.ts";

for (const opCase of allCases) {
  if (isDifferentiable(opCase)) {
    Deno.test(`${opCase.name}: gradient equals central differences`, () => {
      const { trainable, loss, grads, feeds } = gradientGraph(opCase);
      const analytic = evaluate(grads, feeds);
      for (const [k, tensor] of trainable.entries()) {
        assertClose(analytic[k], centralDifferences(loss, tensor, feeds), CENTRAL, `gradient of ${tensor}`);
      }
    });
  }
}

// Central differences in float64 with step 1e-5 are good to about 1e-8 of the scale; 2^-23 is 1.2e-7.
const CENTRAL = { slack: 4, terms: 1 };
const STEP = 1e-5;
const MAX_PROBES = 24;

/** ∂loss/∂tensor by (f(x+h) − f(x−h)) / 2h; large tensors are probed at some elements, the rest is NaN-free copy. */
function centralDifferences(loss: Tensor, tensor: Tensor, feeds: Feeds): Values {
  const name = tensor.source!.name;
  const base = Float64Array.from(feeds[name]);
  const size = sizeOf(tensor.shape);
  const stride = Math.max(1, Math.ceil(size / MAX_PROBES));
  const [analytic] = evaluate(gradients(loss, [tensor]), feeds);
  const result = Float64Array.from(analytic);
  const at = (i: number, h: number) => {
    const moved = base.slice();
    moved[i] += h;
    return evaluate([loss], { ...feeds, [name]: moved })[0][0];
  };
  for (let i = 0; i < size; i += stride) result[i] = (at(i, STEP) - at(i, -STEP)) / (2 * STEP);
  return result;
}

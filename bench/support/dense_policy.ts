import { stepInput } from "../../src/engine/graph/tensor.ts";
import { dense } from "../../src/engine/nn/layers.ts";
import type { Scope } from "../../src/engine/nn/scope.ts";
import { tanh } from "../../src/engine/ops/elementwise.ts";
import { reshape } from "../../src/engine/ops/shape.ts";
import type { PolicyNetwork } from "../../src/tamiyo/rl/types.ts";

const orthogonal = (gain: number) => ({ kind: "orthogonal", gain }) as const;

/** Policy and value as CleanRL has them for vectors: two hidden layers each, nothing shared, every action legal. */
export function densePolicy(inputs: number, actions: number, width = 64): PolicyNetwork<readonly number[]> {
  const tower = (scope: Scope, name: string, batch: number, out: number, gain: number) => {
    const inner = scope.scope(name);
    let h = stepInput("x", [batch, inputs]);
    for (const layer of ["1", "2"]) h = tanh(dense(inner, layer, h, width, orthogonal(Math.SQRT2)));
    return dense(inner, "out", h, out, orthogonal(gain));
  };
  return {
    name: `dense ${inputs} ${actions} ${width}`,
    shapeFor: (seen) => ({ batch: Math.max(1, seen.length), actions }),
    forward: (scope, { batch }) => ({
      logits: tower(scope, "actor", batch, actions, 0.01),
      mask: stepInput("mask", [batch, actions]),
      values: reshape(tower(scope, "critic", batch, 1, 1), [batch]),
    }),
    encode(seen, { batch }) {
      const x = new Float32Array(batch * inputs);
      seen.forEach((one, k) => x.set(one, k * inputs));
      return { x, mask: new Float32Array(batch * actions).fill(1) };
    },
  };
}

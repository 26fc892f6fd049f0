import type { SeedMode } from "../../src/contracts/growth.ts";
import { insertSeed, type SeedTrace } from "../../src/kasmina/seed.ts";
import { evaluate } from "../../src/engine/compile/reference.ts";
import { gradients } from "../../src/engine/graph/gradients.ts";
import type { Values } from "../../src/engine/graph/op.ts";
import { stepInput, type Tensor } from "../../src/engine/graph/tensor.ts";
import { initialise } from "../../src/engine/nn/init.ts";
import { TraceScope } from "../../src/engine/nn/scope.ts";
import { square, sub } from "../../src/engine/ops/elementwise.ts";
import { mean } from "../../src/engine/ops/reduce.ts";
import type { Blueprint } from "../../src/contracts/blueprint.ts";
import { build } from "../../src/tezzeret/build.ts";
import { prng } from "../../src/util/prng.ts";
import { type Shape, sizeOf } from "../../src/util/shape.ts";

/** A branch that is always 0, and so is every gradient. */
export const stillborn: Blueprint = {
  name: "dead",
  version: 1,
  about: "relu of a negative square",
  nodes: [
    { name: "squared", op: "square", inputs: ["h"] },
    { name: "negative", op: "multiply", inputs: ["squared"], by: -1 },
    { name: "clipped", op: "relu", inputs: ["negative"] },
    { name: "out", op: "scale", inputs: ["clipped"] },
  ],
};

/** A seed on a fixed activation and a fixed goal, run by the float64 references. */
export interface Probe {
  readonly seed: SeedTrace;
  readonly parameters: Record<string, Values>;
  readonly h: Values;
  /** Values of y at an α. */
  output(alpha: number): Values;
  /** The loss at α = 1, and its gradients by parameter. */
  lossAndGradients(): { loss: number; gradients: Record<string, Values> };
  /** One step of gradient descent at α = 1; returns the loss before it. */
  step(rate: number): number;
}

/** Puts a blueprint's seed on a batch of two activations of `shape`, ReLU-like; the goal mixes and shifts channels. */
export function probe(blueprint: Blueprint, shape: Shape, mode: SeedMode = "blend"): Probe {
  const batch = [2, ...shape], channels = shape[shape.length - 1];
  const scope = new TraceScope();
  const seed = insertSeed(scope, "slot", stepInput("h", batch), {
    seed: "slot/1",
    mode,
    branch: (inner, h) => build(blueprint, inner, h),
  });
  const loss: Tensor = mean(square(sub(seed.y, stepInput("goal", batch))));
  const tensors = scope.parameters.map((spec) => spec.tensor);
  const slopes = gradients(loss, tensors);

  const random = prng(1, `probe ${shape}`);
  const h = Float64Array.from({ length: sizeOf(batch) }, () => Math.max(0, random.normal() + 0.3));
  const goal = h.map((value, i) => 1.5 * value + 0.5 * h[i - i % channels + (i + 1) % channels] + 0.3);
  const parameters: Record<string, Values> = Object.fromEntries(
    scope.parameters.map((
      { name, shape, init },
    ) => [name, Float64Array.from(initialise(name, shape, init, 1))]),
  );
  const feeds = (alpha: number) => ({ h, goal, "alpha/slot": [alpha], ...parameters });

  function lossAndGradients() {
    const [[value], ...rest] = evaluate([loss, ...slopes], feeds(1));
    return {
      loss: value,
      gradients: Object.fromEntries(scope.parameters.map(({ name }, k) => [name, rest[k]])),
    };
  }
  return {
    seed,
    parameters,
    h,
    output: (alpha) => evaluate([seed.y], feeds(alpha))[0],
    lossAndGradients,
    step(rate) {
      const { loss, gradients } = lossAndGradients();
      for (const [name, slope] of Object.entries(gradients)) {
        slope.forEach((value, i) => parameters[name][i] -= rate * value);
      }
      return loss;
    },
  };
}

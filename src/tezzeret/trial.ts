import type { Blueprint } from "../contracts/blueprint.ts";
import { gradients } from "../engine/graph/gradients.ts";
import type { Values } from "../engine/graph/op.ts";
import { resident, stepInput, type Tensor, withSharedNodes } from "../engine/graph/tensor.ts";
import { initialise, ZEROS } from "../engine/nn/init.ts";
import { type ParameterSpec, TraceScope } from "../engine/nn/scope.ts";
import { add, mul } from "../engine/ops/elementwise.ts";
import { sum } from "../engine/ops/reduce.ts";
import { prng } from "../util/prng.ts";
import { type Shape, sizeOf } from "../util/shape.ts";
import { build } from "./build.ts";
import { fitOf } from "./check.ts";

const BATCH = 2;
/** Sides that a slot is cut to, largest first. Not 1: a single position is normalised in another way. */
const SIDES = [8, 4, 2] as const;
/** Forward FLOPs of one example beyond which a smaller side is taken: the float64 reference runs beside training. */
const TRIAL_FLOPS = 1e6;

/** Names of the step value α and of the result among the outputs. */
export const ALPHA = "alpha", RESULT = "y";
const GAMMA = "gamma";

/** y = h + α·γ⊙f(h) of a blueprint, with the gradients of Σ weights·y for h, γ and every parameter of f. */
export interface Trial {
  /** Batch included. */
  readonly shape: Shape;
  /** `y`, and gradients as `gradient of <name>`. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Tensors that the caller keeps in memory, by name: h, weights, γ, the parameters of f. */
  readonly sources: readonly ParameterSpec[];
}

/** The slot's shape, cut to a corner small enough to be computed on the CPU. */
function cut(blueprint: Blueprint, shape: Shape): Shape {
  const channels = shape.slice(-1);
  const corners = SIDES.map((side) => [...shape.slice(0, -1).map((n) => Math.min(n, side)), ...channels]);
  const affordable = corners.find((corner) => {
    const fit = fitOf(blueprint, corner);
    return fit.fits && fit.flops <= TRIAL_FLOPS;
  });
  return affordable ?? corners[corners.length - 1];
}

/** Traces a blueprint for comparison with its reference. The same call gives the same graph. */
export function traceTrial(blueprint: Blueprint, slot: Shape): Trial {
  const shape = [BATCH, ...cut(blueprint, slot)];
  return withSharedNodes(() => {
    const scope = new TraceScope();
    const h = resident("h", shape, "f32"), weights = resident("weights", shape, "f32");
    const gamma = scope.parameter(GAMMA, shape.slice(-1), ZEROS);
    const delta = mul(build(blueprint, scope, h), gamma);
    const y = add(h, mul(delta, stepInput(ALPHA, [])));
    const wrt = [{ name: "h", tensor: h }, ...scope.parameters];
    const slopes = gradients(sum(mul(y, weights)), wrt.map(({ tensor }) => tensor));
    const named = wrt.map(({ name }, k) => [`gradient of ${name}`, slopes[k]] as const);
    const data = ["h", "weights"].map((name) => ({ name, shape, init: ZEROS, decay: false }));
    return {
      shape,
      outputs: { [RESULT]: y, ...Object.fromEntries(named) },
      sources: [...data, ...scope.parameters],
    };
  });
}

/**
 * Values of a trial's sources, representable in float32: the parameters' first values, and normal numbers where those are
 * all the same. They depend on seed and draw alone and share no stream with training.
 */
export function drawValues({ sources }: Trial, seed: number, draw: number): Record<string, Values> {
  return Object.fromEntries(sources.map(({ name, shape, init }) => {
    const stream = `admission ${draw} ${name}`;
    if (init.kind !== "constant") return [name, initialise(stream, shape, init, seed)];
    const random = prng(seed, stream);
    return [name, Float32Array.from({ length: sizeOf(shape) }, () => init.value + random.normal())];
  }));
}

/** The same with γ = 0: a seed at birth. */
export function atBirth(values: Readonly<Record<string, Values>>): Record<string, Values> {
  return { ...values, [GAMMA]: new Float32Array(values[GAMMA].length) };
}

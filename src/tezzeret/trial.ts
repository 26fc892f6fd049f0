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

/** Examples of a trial that the CPU repeats. */
const BATCH = 2;
/** Sides that a slot is cut to, largest first. Not 1: a single position is normalised in another way. */
const SIDES = [8, 4, 2] as const;
/** Forward FLOPs of one example beyond which a smaller side is taken for what the CPU repeats. */
const CORNER_FLOPS = 1e6;
/** Forward FLOPs of a batch beyond which a smaller one is taken for what only the device computes. */
const BATCH_FLOPS = { hardware: 1e9, software: 2e7 } as const;
/** Numbers in an activation of such a batch. */
const BATCH_NUMBERS = { hardware: 2 ** 21, software: 2 ** 16 } as const;

/** Names of the step value α and of the result among the outputs. */
export const ALPHA = "alpha", RESULT = "y";
export const GAMMA = "gamma";

/** y = h + α·γ⊙f(h) of a blueprint, with the gradients of Σ weights·y for h, γ and every parameter of f. */
export interface Trial {
  /** Batch included. */
  readonly shape: Shape;
  /** `y`, and gradients as `gradient of <name>`. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Σ weights·y. */
  readonly loss: Tensor;
  /** Tensors that the caller keeps in memory, by name: h, weights, γ, the parameters of f. */
  readonly sources: readonly ParameterSpec[];
  /** Those of them that have a gradient: all but the weights. */
  readonly learned: readonly string[];
}

export const gradientOf = (name: string) => `gradient of ${name}`;

/** The slot's shape, cut to a corner small enough to be computed on the CPU, as two examples. */
export function cornerOf(blueprint: Blueprint, slot: Shape): Shape {
  const channels = slot.slice(-1);
  const corners = SIDES.map((side) => [...slot.slice(0, -1).map((n) => Math.min(n, side)), ...channels]);
  const affordable = corners.find((corner) => {
    const fit = fitOf(blueprint, corner);
    return fit.fits && fit.flops <= CORNER_FLOPS;
  });
  return [BATCH, ...affordable ?? corners[corners.length - 1]];
}

/** The slot's shape as a batch of training, or as much of one as a device does in a moment. */
export function batchOf(blueprint: Blueprint, slot: Shape, batch: number, software: boolean): Shape {
  const fit = fitOf(blueprint, slot);
  const flops = fit.fits ? fit.flops : Infinity;
  const kind = software ? "software" : "hardware";
  const affordable = Math.min(BATCH_FLOPS[kind] / flops, BATCH_NUMBERS[kind] / sizeOf(slot));
  return [Math.max(1, Math.min(batch, Math.floor(affordable))), ...slot];
}

/** Traces a blueprint on an activation of `shape`, batch included. The same call gives the same graph. */
export function traceTrial(blueprint: Blueprint, shape: Shape): Trial {
  return withSharedNodes(() => {
    const scope = new TraceScope();
    const h = resident("h", shape, "f32"), weights = resident("weights", shape, "f32");
    const gamma = scope.parameter(GAMMA, shape.slice(-1), ZEROS);
    const delta = mul(build(blueprint, scope, h), gamma);
    const y = add(h, mul(delta, stepInput(ALPHA, [])));
    const loss = sum(mul(y, weights));
    const wrt = [{ name: "h", tensor: h }, ...scope.parameters];
    const slopes = gradients(loss, wrt.map(({ tensor }) => tensor));
    const named = wrt.map(({ name }, k) => [gradientOf(name), slopes[k]] as const);
    const data = ["h", "weights"].map((name) => ({ name, shape, init: ZEROS, decay: false }));
    return {
      shape,
      outputs: { [RESULT]: y, ...Object.fromEntries(named) },
      loss,
      sources: [...data, ...scope.parameters],
      learned: wrt.map(({ name }) => name),
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

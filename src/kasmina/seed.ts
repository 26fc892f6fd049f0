import { add, div, maximum, mul, sqrt, square, sub } from "../engine/ops/elementwise.ts";
import { sum } from "../engine/ops/reduce.ts";
import { materialise, stepInput, type Tensor } from "../engine/graph/tensor.ts";
import type { SeedMode } from "../contracts/growth.ts";
import type { Scope } from "../engine/nn/scope.ts";

/** The branch f of a seed: from the activation at the slot to one of the same shape. */
export type Branch = (scope: Scope, h: Tensor) => Tensor;

/** A seed as a trace needs it. */
export interface LiveSeed {
  /** `slot/generation`, as Kasmina names it: the prefix of its parameters is `seed/<this>`. */
  readonly seed: string;
  /** How it takes part. */
  readonly mode: SeedMode;
  /** What it computes. */
  readonly branch: Branch;
  /** Only for `shadow`. Default 1. */
  readonly normCap?: number;
  /** What γ begins with. Default 0. */
  readonly birthScale?: number;
}

/** What a seed added to a graph. */
export interface SeedTrace {
  /** The activation that the seed was given. */
  readonly h: Tensor;
  /** γ⊙f(h), before α or any cap. */
  readonly delta: Tensor;
  /** What the host goes on with. */
  readonly y: Tensor;
  /** Where `gradients` must stop; only of straight-through seeds. */
  readonly stopAt: readonly Tensor[];
}

/** Prefix of the parameters of a seed that `LiveSeed.seed` names. */
export function seedPrefix(seed: string): string {
  return `seed/${seed}`;
}

/** Name of the step input that holds a slot's α. */
export function alphaInput(slot: string): string {
  return `alpha/${slot}`;
}

/** Keeps a seed with a dead host activation (all zeros) from dividing by zero. */
const TINY = 1e-12;

/** γ⊙f scaled to at most `cap`·‖h‖, norms taken over the whole batch; exactly γ⊙f where it is smaller. */
function capped(delta: Tensor, h: Tensor, cap: number): Tensor {
  const ratio = div(sum(square(delta)), add(mul(cap * cap, sum(square(h))), TINY));
  return div(delta, sqrt(maximum(1, ratio)));
}

/** A node of its own with the value of x, at which gradients may be stopped. */
const copy = (x: Tensor) => mul(x, 1);

/** Puts a seed behind the activation `h` of a slot. Where γ is 0, y equals h exactly. */
export function insertSeed(root: Scope, slot: string, h: Tensor, seed: LiveSeed): SeedTrace {
  const scope = root.scope(seedPrefix(seed.seed));
  const straight = seed.mode === "ste";
  const input = straight ? copy(h) : h;
  const gamma = scope.parameter("gamma", [h.shape.at(-1)!], {
    kind: "constant",
    value: seed.birthScale ?? 0,
  });
  const delta = mul(seed.branch(scope, input), gamma);
  const modes: Record<SeedMode, () => { y: Tensor; stopAt: Tensor[] }> = {
    blend: () => ({ y: add(h, mul(delta, stepInput(alphaInput(slot), []))), stopAt: [] }),
    fossil: () => ({ y: add(h, delta), stopAt: [] }),
    shadow: () => ({ y: add(h, capped(materialise(delta), h, seed.normCap ?? 1)), stopAt: [] }),
    ste() {
      const constant = copy(materialise(delta));
      return { y: add(h, sub(delta, constant)), stopAt: [input, constant] };
    },
  };
  return { h, delta, ...modes[seed.mode]() };
}

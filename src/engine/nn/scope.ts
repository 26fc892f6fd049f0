import type { Shape } from "../../util/shape.ts";
import { materialise, parameter, type Tensor } from "../graph/tensor.ts";
import { add, mul } from "../ops/elementwise.ts";
import type { Init } from "./init.ts";

/** A trainable tensor as a model declares it. */
export interface ParameterSpec {
  /** Full name, with those of the scopes around it: `block1/conv/weight`. */
  readonly name: string;
  /** Sizes, outermost dimension first. */
  readonly shape: Shape;
  /** How it starts. */
  readonly init: Init;
  /** Whether weight decay applies: weights yes, biases and norm scales no. */
  readonly decay: boolean;
}

/** What a model builds its graph with: it declares parameters and names activations. */
export interface Scope {
  /** A trainable tensor; the same name gives the same tensor. */
  parameter(name: string, shape: Shape, init: Init, decay?: boolean): Tensor;
  /** Announces an activation under a name: a place where a slot may sit. The model goes on with the result. */
  tap(name: string, h: Tensor): Tensor;
  /** Whether layers normalise by the statistics of the batch, or by those that training has gathered. */
  readonly statistics: Statistics;
  /** A tensor that is kept beside the parameters and never changes. */
  constant(name: string, shape: Shape, init: Init): Tensor;
  /**
   * A running average of `batch`, of which each new one is the `share` (default 0.1), kept beside the parameters but not trained. Where the trace is that of a training step,
   * `batch` is taken into it at the end of the step; of several calls with one name the first counts.
   */
  running(name: string, batch: Tensor, init: Init, share?: number): Tensor;
  /** The same scope with names prefixed by `name/`. */
  scope(name: string): Scope;
}

/** By what layers normalise: the batch at hand, or averages that training has gathered. */
export type Statistics = "batch" | "running";

/** A network as a function from a batch of examples [N, ...input] to logits [N, classes]. */
export interface Model {
  /** As errors and reports call it. */
  readonly name: string;
  /** Shape of one example. */
  readonly input: Shape;
  /** Logits of an example. */
  readonly classes: number;
  /** The logits [N, classes] of a batch x [N, ...input]; must declare and tap alike at every call. */
  forward(scope: Scope, x: Tensor): Tensor;
}

/** Share of a new batch in a running average. */
const SHARE = 0.1;

/** Collects what a model declares. Keep one for all traces whose parameters are shared. */
export class TraceScope implements Scope {
  readonly statistics: Statistics;
  readonly #parameters = new Map<string, ParameterSpec & { tensor: Tensor }>();
  readonly #constants = new Map<string, ParameterSpec & { tensor: Tensor }>();
  readonly #averages = new Map<string, ParameterSpec & { tensor: Tensor; next: Tensor }>();

  /** Nothing declared yet. */
  constructor(statistics: Statistics = "batch") {
    this.statistics = statistics;
  }

  /** Declared parameters in order of declaration. */
  get parameters(): readonly (ParameterSpec & { readonly tensor: Tensor })[] {
    return [...this.#parameters.values()];
  }

  /** Running averages in order of declaration, each with its value after this step. */
  get averages(): readonly (ParameterSpec & { readonly tensor: Tensor; readonly next: Tensor })[] {
    return [...this.#averages.values()];
  }

  /** All that is kept and not trained: running averages, then what never changes. */
  get untrained(): readonly ParameterSpec[] {
    return [...this.#averages.values(), ...this.#constants.values()];
  }

  parameter(name: string, shape: Shape, init: Init, decay = false): Tensor {
    let spec = this.#parameters.get(name);
    if (!spec) {
      spec = { name, shape, init, decay, tensor: parameter(name, shape) };
      this.#parameters.set(name, spec);
    }
    return spec.tensor;
  }

  tap(_name: string, h: Tensor): Tensor {
    return materialise(h);
  }

  constant(name: string, shape: Shape, init: Init): Tensor {
    let spec = this.#constants.get(name);
    if (!spec) {
      spec = { name, shape, init, decay: false, tensor: parameter(name, shape) };
      this.#constants.set(name, spec);
    }
    return spec.tensor;
  }

  running(name: string, batch: Tensor, init: Init, share = SHARE): Tensor {
    let spec = this.#averages.get(name);
    if (!spec) {
      const tensor = parameter(name, batch.shape);
      const next = add(mul(1 - share, tensor), mul(share, batch));
      spec = { name, shape: batch.shape, init, decay: false, tensor, next };
      this.#averages.set(name, spec);
    }
    return spec.tensor;
  }

  scope(name: string): Scope {
    return prefixed(this, name);
  }
}

function prefixed(scope: Scope, prefix: string): Scope {
  return {
    parameter: (name, shape, init, decay) => scope.parameter(`${prefix}/${name}`, shape, init, decay),
    tap: (name, h) => scope.tap(`${prefix}/${name}`, h),
    statistics: scope.statistics,
    constant: (name, shape, init) => scope.constant(`${prefix}/${name}`, shape, init),
    running: (name, batch, init, share) => scope.running(`${prefix}/${name}`, batch, init, share),
    scope: (name) => scope.scope(`${prefix}/${name}`),
  };
}

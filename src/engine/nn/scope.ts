import type { Shape } from "../../util/shape.ts";
import { materialise, parameter, type Tensor } from "../graph/tensor.ts";
import type { Init } from "./init.ts";

/** A trainable tensor as a model declares it. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: Shape;
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
  /** The same scope with names prefixed by `name/`. */
  scope(name: string): Scope;
}

/** A network as a function from a batch of examples [N, ...input] to logits [N, classes]. */
export interface Model {
  readonly name: string;
  /** Shape of one example. */
  readonly input: Shape;
  readonly classes: number;
  forward(scope: Scope, x: Tensor): Tensor;
}

/** Called for each tap, in order; returns what the model goes on with. */
export type OnTap = (name: string, h: Tensor, scope: Scope) => Tensor;

/** Collects what a model declares. Keep one for all traces whose parameters are shared. */
export class TraceScope implements Scope {
  readonly #specs = new Map<string, ParameterSpec & { tensor: Tensor }>();
  readonly #onTap: OnTap;

  constructor(onTap: OnTap = (_, h) => h) {
    this.#onTap = onTap;
  }

  /** Declared parameters in order of declaration. */
  get parameters(): readonly (ParameterSpec & { readonly tensor: Tensor })[] {
    return [...this.#specs.values()];
  }

  parameter(name: string, shape: Shape, init: Init, decay = false): Tensor {
    let spec = this.#specs.get(name);
    if (!spec) {
      spec = { name, shape, init, decay, tensor: parameter(name, shape) };
      this.#specs.set(name, spec);
    }
    return spec.tensor;
  }

  tap(name: string, h: Tensor): Tensor {
    return this.#onTap(name, materialise(h), this);
  }

  scope(name: string): Scope {
    return prefixed(this, name);
  }
}

function prefixed(scope: Scope, prefix: string): Scope {
  return {
    parameter: (name, shape, init, decay) => scope.parameter(`${prefix}/${name}`, shape, init, decay),
    tap: (name, h) => scope.tap(`${prefix}/${name}`, h),
    scope: (name) => scope.scope(`${prefix}/${name}`),
  };
}

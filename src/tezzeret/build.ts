import type { Blueprint, BlueprintNode, BlueprintOp, Channels } from "../contracts/blueprint.ts";
import type { Tensor } from "../engine/graph/tensor.ts";
import { ONES, ZEROS } from "../engine/nn/init.ts";
import { conv, dense, groupNorm } from "../engine/nn/layers.ts";
import type { Scope } from "../engine/nn/scope.ts";
import { add, gelu, mul, relu, sigmoid, silu, square, tanh } from "../engine/ops/elementwise.ts";
import { mean } from "../engine/ops/reduce.ts";
import { reshape } from "../engine/ops/shape.ts";
import { formatShape } from "../util/shape.ts";

/** A blueprint that cannot be: in itself or in the slot it was meant for. */
export class BlueprintError extends Error {
  /** `BlueprintError`. */
  override readonly name = "BlueprintError";
  /** Multiplications and additions that a device has spent to find that out. */
  readonly spentFlops: number;

  /** `spentFlops` is 0 where no device was asked. */
  constructor(message: string, { spentFlops = 0, ...options }: ErrorOptions & { spentFlops?: number } = {}) {
    super(message, options);
    this.spentFlops = spentFlops;
  }
}

const FACTORS: Record<Channels, number> = { "C": 1, "C/2": 1 / 2, "C/4": 1 / 4, "2C": 2, "4C": 4 };

/** The number of channels that a relative count stands for, where the slot has `channels`. */
export function channelCount(out: Channels, channels: number, min = 1): number {
  const wanted = Math.floor(FACTORS[out] * channels);
  return FACTORS[out] < 1 ? Math.min(channels, Math.max(min, wanted)) : wanted;
}

/** How a node becomes tensors: `channels` is C, the channels at the slot. */
type Build<N> = (scope: Scope, node: N, inputs: readonly Tensor[], channels: number) => Tensor;

function image(x: Tensor): Tensor {
  if (x.shape.length !== 4) {
    throw new BlueprintError(
      `want an activation [H, W, C], got ${
        formatShape(x.shape.slice(1))
      }; use dense, or a slot behind images`,
    );
  }
  return x;
}

/** A layer on the last dimension, whatever stands before it. */
function onRows(x: Tensor, layer: (rows: Tensor) => Tensor): Tensor {
  const y = layer(reshape(x, [-1, x.shape.at(-1)!]));
  return reshape(y, [...x.shape.slice(0, -1), y.shape[1]]);
}

/** Group norm; over all channels where there is one position, as a few channels of it would carry only signs. */
function normalise(scope: Scope, name: string, x: Tensor): Tensor {
  const onePosition = x.shape.slice(1, -1).every((size) => size === 1);
  if (onePosition && x.shape.at(-1) === 1) {
    throw new BlueprintError(
      "want more than one value to normalise, got an activation of one; leave the norm out, or use a wider slot",
    );
  }
  return groupNorm(scope, name, x, onePosition ? 1 : undefined);
}

/** Of two branches, one may be an image's means beside the image. */
function binary(f: (a: Tensor, b: Tensor) => Tensor): Build<BlueprintNode> {
  return (_, __, [a, b]) => {
    const [shapeA, shapeB] = [a.shape.slice(1), b.shape.slice(1)];
    const fits = shapeA.length === shapeB.length &&
      shapeA.every((size, k) => size === shapeB[k] || size === 1 || shapeB[k] === 1);
    if (fits) return f(a, b);
    throw new BlueprintError(
      `want inputs of one shape, got ${formatShape(shapeA)} and ${
        formatShape(shapeB)
      }; give both the same out`,
    );
  };
}

const perChannel = (x: Tensor) => [x.shape.at(-1)!];
const unary = (f: (x: Tensor) => Tensor): Build<BlueprintNode> => (_, __, [x]) => f(x);

const builders: { [K in BlueprintOp]: Build<Extract<BlueprintNode, { op: K }>> } = {
  conv(scope, { name, kernel, out, min }, [x], channels) {
    // A vector is an image of one position to a 1×1 convolution, and to no other.
    const seen = kernel === 1 && x.shape.length === 2 ? reshape(x, [x.shape[0], 1, 1, x.shape[1]]) : image(x);
    const y = conv(scope, name, seen, { kernel, out: channelCount(out, channels, min), bias: false });
    return seen === x ? y : reshape(y, [x.shape[0], y.shape[3]]);
  },
  depthwise: (scope, { name, kernel }, [x]) =>
    conv(scope, name, image(x), { kernel, out: x.shape[3], groups: x.shape[3], bias: false }),
  dense: (scope, { name, out, min }, [x], channels) =>
    onRows(x, (rows) => dense(scope, name, rows, channelCount(out, channels, min))),
  groupNorm: (scope, { name }, [x]) => normalise(scope, name, x),
  scale: (scope, { name }, [x]) => mul(x, scope.scope(name).parameter("weight", perChannel(x), ONES)),
  bias: (scope, { name }, [x]) => add(x, scope.scope(name).parameter("weight", perChannel(x), ZEROS)),
  relu: unary(relu),
  gelu: unary(gelu),
  silu: unary(silu),
  sigmoid: unary(sigmoid),
  tanh: unary(tanh),
  square: unary(square),
  globalPool: (_, __, [x]) => mean(image(x), [1, 2], true),
  multiply: (_, { by }, [x]) => mul(x, by),
  add: binary(add),
  mul: binary(mul),
};

/**
 * The graph of a blueprint's branch on the activation `h` [N, H, W, C] or [N, C] of a slot: f(h), of the shape of h.
 * Parameters are named `node/weight` and so on within `scope`.
 *
 * @throws {BlueprintError} naming the node that does not fit.
 */
export function build(blueprint: Blueprint, scope: Scope, h: Tensor): Tensor {
  const tensors = new Map<string, Tensor>([["h", h]]);
  let last = h;
  for (const node of blueprint.nodes) {
    const inputs = node.inputs.map((name) => tensors.get(name)!);
    // The compiler cannot follow that the builder found under a node's op takes that node.
    const builder = builders[node.op] as Build<BlueprintNode>;
    try {
      last = builder(scope, node, inputs, h.shape.at(-1)!);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new BlueprintError(`blueprint ${blueprint.name}: node ${node.name}: ${error.message}`, {
        cause: error,
      });
    }
    tensors.set(node.name, last);
  }
  return last;
}

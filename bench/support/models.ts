import type { Tensor } from "../../src/engine/graph/tensor.ts";
import { batchNorm, conv, dense } from "../../src/engine/nn/layers.ts";
import { resnet } from "../../src/engine/nn/resnet.ts";
import type { Model, Scope } from "../../src/engine/nn/scope.ts";
import { add, relu } from "../../src/engine/ops/elementwise.ts";
import { maxPool2d } from "../../src/engine/ops/pool.ts";
import { reshape } from "../../src/engine/ops/shape.ts";
import { sizeOf } from "../../src/util/shape.ts";

const INPUT = [32, 32, 3];
const CLASSES = 10;

/**
 * 3→32→32→pool→64→pool→10: the network that engines are often compared by. `width` is the first layer's. `grown` gives
 * layers a branch such as a seed adds: a 3×3 convolution, a norm and ReLU beside the identity.
 */
export function smallCnn(width = 32, grown: readonly number[] = []): Model {
  const branch = (scope: Scope, layer: number, x: Tensor) => {
    if (!grown.includes(layer)) return x;
    const inner = scope.scope(`branch${layer}`);
    const y = conv(inner, "conv", x, { out: x.shape[3], kernel: 3, bias: false });
    return add(x, relu(batchNorm(inner, "norm", y)));
  };
  return {
    name: `small CNN of width ${width}${grown.length > 0 ? `, grown at ${grown}` : ""}`,
    input: INPUT,
    classes: CLASSES,
    forward(scope, x) {
      x = branch(scope, 1, relu(conv(scope, "conv1", x, { out: width, kernel: 3 })));
      x = maxPool2d(relu(conv(scope, "conv2", x, { out: width, kernel: 3 })), { kernel: 2, stride: 2 });
      x = branch(scope, 2, x);
      x = maxPool2d(relu(conv(scope, "conv3", x, { out: 2 * width, kernel: 3 })), { kernel: 2, stride: 2 });
      x = branch(scope, 3, x);
      const [batch, ...features] = x.shape;
      return dense(scope, "head", reshape(x, [batch, sizeOf(features)]), CLASSES);
    },
  };
}

/** ResNet of the width and blocks given, with batch norm. */
export function resnetOf(width: number, blocks: readonly number[] = [2, 2, 2, 2]): Model {
  return resnet(INPUT, CLASSES, { width, blocks, norm: "batch", groupSize: 16 });
}

/**
 * The network that a benchmark's `--model` names: `small`, or `resnet` and a width.
 *
 * @throws {TypeError} on another name.
 */
export function modelNamed(name: string): Model {
  if (name === "small") return smallCnn();
  const width = Number(/^resnet(\d+)$/.exec(name)?.[1]);
  if (!(width > 0)) {
    throw new TypeError(`--model: want small, or resnet and a width (resnet16), got "${name}"`);
  }
  return resnetOf(width);
}

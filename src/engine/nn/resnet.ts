import type { Shape } from "../../util/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, relu } from "../ops/elementwise.ts";
import { mean } from "../ops/reduce.ts";
import { batchNorm, conv, dense, groupNorm, normGroups } from "./layers.ts";
import type { Model, Scope } from "./scope.ts";

/** Sizes of a residual host. */
export interface ResnetOptions {
  /** Channels of the first stage; each stage has twice those of the one before. */
  readonly width: number;
  /** Blocks of each stage. */
  readonly blocks: readonly number[];
  /** Over the batch, or over groups of channels of one example. */
  readonly norm: "batch" | "group";
  /** Least channels of a group in the group norm. */
  readonly groupSize: number;
}

/**
 * The residual host for small images (He et al. 2016): a 3×3 convolution, announced as `stem`, then per stage blocks of
 * two 3×3 convolutions around a shortcut, announced as `block1`, `block2` … throughout; then the global mean and a dense
 * layer. Every stage but the first halves the sides, where a 1×1 convolution adapts the shortcut. Every convolution has a
 * norm behind it and no bias. `blocks` [2, 2, 2, 2] is ResNet-18.
 */
export function resnet(input: Shape, classes: number, options: ResnetOptions): Model {
  const { width, blocks, norm, groupSize } = options;
  const normalise = (scope: Scope, name: string, x: Tensor) =>
    norm === "batch"
      ? batchNorm(scope, name, x)
      : groupNorm(scope, name, x, normGroups(x.shape[3], groupSize));
  /** Convolution and norm. */
  const layer = (scope: Scope, name: string, x: Tensor, out: number, kernel: number, stride: number) => {
    const inner = scope.scope(name);
    return normalise(inner, "norm", conv(inner, "conv", x, { out, kernel, stride, bias: false }));
  };
  const block = (scope: Scope, x: Tensor, out: number, stride: number) => {
    const inner = relu(layer(scope, "layer1", x, out, 3, stride));
    const residual = layer(scope, "layer2", inner, out, 3, 1);
    const adapts = stride !== 1 || x.shape[3] !== out;
    return relu(add(residual, adapts ? layer(scope, "shortcut", x, out, 1, stride) : x));
  };
  const layers = 2 + 2 * blocks.reduce((total, count) => total + count, 0);
  return {
    name: `resnet-${layers} of width ${width}`,
    input,
    classes,
    forward(scope, x) {
      x = scope.tap("stem", relu(layer(scope, "stem", x, width, 3, 1)));
      let number = 0;
      for (const [stage, count] of blocks.entries()) {
        for (let k = 0; k < count; k++) {
          const name = `block${++number}`;
          x = scope.tap(name, block(scope.scope(name), x, width * 2 ** stage, stage > 0 && k === 0 ? 2 : 1));
        }
      }
      const features = mean(x, [1, 2]);
      return dense(scope, "head", features, classes, { kind: "lecunUniform", fanIn: features.shape[1] });
    },
  };
}

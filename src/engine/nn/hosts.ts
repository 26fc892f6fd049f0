import { usageError } from "../../util/errors.ts";
import type { Shape } from "../../util/shape.ts";
import { relu } from "../ops/elementwise.ts";
import { maxPool2d } from "../ops/pool.ts";
import { mean } from "../ops/reduce.ts";
import { batchNorm, conv, dense, groupNorm, normGroups } from "./layers.ts";
import type { Model } from "./scope.ts";

/** How a host normalises: by batch, or by groups of at least `groupSize` channels. */
export interface NormOptions {
  /** Over the batch, or over groups of channels of one example. */
  readonly norm: "batch" | "group";
  /** Least channels of a group. */
  readonly groupSize: number;
}

/**
 * The convolutional host: per entry of `channels` a 3×3 convolution, a norm, ReLU and 2×2 max pooling, announced as
 * `block1`, `block2` …; then the global mean and a dense layer.
 */
export function cnn(
  input: Shape,
  classes: number,
  channels: readonly number[],
  { norm, groupSize }: NormOptions = { norm: "group", groupSize: 16 },
): Model {
  const side = Math.min(input[0], input[1]);
  if (side < 2 ** channels.length) {
    throw usageError(
      `cnn: want images of at least ${
        2 ** channels.length
      } pixels for ${channels.length} blocks, got ${side}; ` +
        `use fewer entries in host.channels`,
    );
  }
  return {
    name: `cnn ${channels.join("-")}`,
    input,
    classes,
    forward(scope, x) {
      for (const [k, out] of channels.entries()) {
        const block = `block${k + 1}`, inner = scope.scope(block);
        x = conv(inner, "conv", x, { out, kernel: 3, bias: false });
        x = norm === "batch"
          ? batchNorm(inner, "norm", x)
          : groupNorm(inner, "norm", x, normGroups(out, groupSize));
        x = maxPool2d(relu(x), { kernel: 2, stride: 2 });
        x = scope.tap(block, x);
      }
      const features = mean(x, [1, 2]);
      return dense(scope, "head", features, classes, { kind: "lecunUniform", fanIn: features.shape[1] });
    },
  };
}

/** The dense host for points: ReLU layers announced as `layer1`, `layer2` … */
export function mlp(input: Shape, classes: number, hidden: readonly number[]): Model {
  return {
    name: `mlp ${hidden.join("-")}`,
    input,
    classes,
    forward(scope, x) {
      for (const [k, width] of hidden.entries()) {
        const name = `layer${k + 1}`;
        x = scope.tap(name, relu(dense(scope, name, x, width)));
      }
      return dense(scope, "head", x, classes, { kind: "lecunUniform", fanIn: x.shape[1] });
    },
  };
}

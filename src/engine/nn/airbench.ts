import { usageError } from "../../util/errors.ts";
import type { Shape } from "../../util/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { conv2d } from "../ops/conv2d.ts";
import { add, gelu, mul } from "../ops/elementwise.ts";
import { matmul } from "../ops/matmul.ts";
import { maxPool2d } from "../ops/pool.ts";
import { reshape } from "../ops/shape.ts";
import { ZEROS } from "./init.ts";
import { batchNorm, conv } from "./layers.ts";
import type { Model, Scope } from "./scope.ts";

export interface AirbenchOptions {
  /** Of each block. */
  readonly channels: readonly number[];
  /** How many times faster than other parameters the shifts of norms learn under SGD. */
  readonly shiftRate: number;
}

/** Side of the whitening filters, and what keeps those of small variance small. */
const PATCH = 2, WHITENING_EPSILON = 5e-4;
/** Share of a new batch in running averages. */
const SHARE = 0.4;
/** Of the logits. */
const LOGIT_SCALE = 1 / 9;

/**
 * The network of airbench94 (Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", arXiv 2404.00498, section 3):
 * fixed 2×2 filters that whiten patches, with a bias, and GELU, announced as `whiten`; then blocks, announced as `block1`,
 * `block2` …, of convolution, 2×2 max pooling, norm, GELU, convolution, norm, GELU; the global maximum and a dense layer
 * without bias. Convolutions pass their inputs on at first; norms go by the batch and have no scale.
 */
export function airbench(input: Shape, classes: number, { channels, shiftRate }: AirbenchOptions): Model {
  if (input[0] !== input[1]) throw usageError(`airbench: want square images, got [${input.slice(0, 2)}]`);
  const least = PATCH - 1 + 2 ** channels.length;
  if (input[0] < least) {
    throw usageError(
      `airbench: want images of at least ${least} pixels for ${channels.length} blocks, got ${input[0]}; ` +
        `use fewer entries in host.channels`,
    );
  }
  const convolve = (scope: Scope, name: string, x: Tensor, out: number) =>
    conv(scope, name, x, { out, kernel: 3, bias: false, init: { kind: "dirac" } });
  const normalise = (scope: Scope, name: string, x: Tensor) =>
    batchNorm(scope, name, x, { scaled: false, shiftRate, share: SHARE });
  return {
    name: `airbench ${channels.join("-")}`,
    input,
    classes,
    forward(scope, x) {
      const first = scope.scope("whiten");
      const width = 2 * PATCH * PATCH * input[2];
      const filters = first.constant("weight", [PATCH, PATCH, input[2], width], {
        kind: "whitening",
        epsilon: WHITENING_EPSILON,
      });
      const patches = conv2d(x, filters, { padding: 0 });
      x = scope.tap("whiten", gelu(add(patches, first.parameter("bias", [width], ZEROS, true))));
      for (const [k, out] of channels.entries()) {
        const name = `block${k + 1}`, inner = scope.scope(name);
        x = maxPool2d(convolve(inner, "conv1", x, out), { kernel: 2 });
        x = gelu(normalise(inner, "norm1", x));
        x = gelu(normalise(inner, "norm2", convolve(inner, "conv2", x, out)));
        x = scope.tap(name, x);
      }
      const [n, side, , last] = x.shape;
      const features = reshape(maxPool2d(x, { kernel: side }), [n, last]);
      const weight = scope.scope("head").parameter("weight", [last, classes], {
        kind: "lecunUniform",
        fanIn: last,
      }, true);
      return mul(LOGIT_SCALE, matmul(features, weight));
    },
  };
}

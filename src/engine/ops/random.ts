import {
  type BitsAttrs,
  type DropoutAttrs,
  dropoutThreshold,
  dropoutVariants,
  randomBitsVariants,
} from "../../../kernels/random.ts";
import { randomWords } from "../../util/philox.ts";
import { formatShape, type Shape, sizeOf } from "../../util/shape.ts";
import type { TensorType } from "../gpu/kernel.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { defineOp } from "./define.ts";

function checkKey(name: string, key: TensorType): void {
  if (key.dtype !== "u32" || key.shape.length !== 1 || key.shape[0] !== 2) {
    throw new TypeError(
      `${name}: want a u32 key [2] of seed and step, got ${key.dtype} ${formatShape(key.shape)}`,
    );
  }
}

const randomBitsOp = defineOp<BitsAttrs>({
  name: "randomBits",
  type([key], { shape }) {
    checkKey("randomBits", key);
    return { shape, dtype: "u32" };
  },
  reference: ([key], { output, attrs: { stream } }) =>
    randomWords(sizeOf(output.shape), key[0], stream, key[1]),
  lower: randomBitsVariants,
  flops: () => 0,
});

const dropoutOp = defineOp<DropoutAttrs>({
  name: "dropout",
  storage: "inherited",
  type([x, key], { rate }) {
    checkKey("dropout", key);
    if (!(rate >= 0 && rate < 1)) throw new RangeError(`dropout: want a rate in [0, 1), got ${rate}`);
    return { shape: x.shape, dtype: "f32" };
  },
  reference([x, key], { attrs: { rate, stream } }) {
    const words = randomWords(x.length, key[0], stream, key[1]);
    const threshold = dropoutThreshold(rate);
    return new Float64Array(x.length).map((_, i) => words[i] >= threshold ? x[i] / (1 - rate) : 0);
  },
  gradient: (dy, { inputs: [, key], attrs }) => [dropout(dy, key, attrs as DropoutAttrs), null],
  lower: dropoutVariants,
  flops: (call) => sizeOf(call.output.shape),
});

export const randomOps = { randomBits: randomBitsOp, dropout: dropoutOp };

/** u32 words of the given shape, uniformly random, that depend on the key (seed, step) and the stream alone. */
export function randomBits(key: Tensor, { shape, stream = 0 }: { shape: Shape; stream?: number }): Tensor {
  return apply(randomBitsOp, [key], { shape, stream });
}

/**
 * Dropout (Srivastava et al. 2014): each element is 0 with probability `rate`, else divided by 1 − rate. The mask depends on
 * the key (u32 [2]: seed, step), the stream and the element's position, so the backward pass draws it again.
 *
 * @throws {RangeError} if the rate is not in [0, 1).
 */
export function dropout(
  x: Tensor,
  key: Tensor,
  { rate, stream = 0 }: { rate: number; stream?: number },
): Tensor {
  return apply(dropoutOp, [x, key], { rate, stream });
}

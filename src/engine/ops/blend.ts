import { formatShape, sameShape, sizeOf } from "../../util/shape.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { defineOp } from "./define.ts";
import { mul } from "./elementwise.ts";
import { sumTo } from "./reduce.ts";

const blendOp = defineOp({
  name: "blend",
  type([h, f, gamma, alpha]) {
    if (!sameShape(h.shape, f.shape)) {
      throw new TypeError(
        `blend: want f of the shape of h, got ${formatShape(f.shape)} and ${formatShape(h.shape)}`,
      );
    }
    if (!sameShape(gamma.shape, h.shape.slice(-1)) || alpha.shape.length !== 0) {
      throw new TypeError(
        `blend: want gamma ${formatShape(h.shape.slice(-1))} and a scalar alpha [], got ` +
          `${formatShape(gamma.shape)} and ${formatShape(alpha.shape)}`,
      );
    }
    return { shape: h.shape, dtype: "f32" };
  },
  reference([h, f, gamma, alpha], { output }) {
    return new Float64Array(sizeOf(output.shape)).map((_, i) => {
      const step = alpha[0] * gamma[i % gamma.length] * f[i];
      return step === 0 ? h[i] : h[i] + step;
    });
  },
  gradient(dy, { inputs: [, f, gamma, alpha] }) {
    const perChannel = sumTo(mul(dy, f), gamma.shape);
    return [dy, mul(dy, mul(alpha, gamma)), mul(alpha, perChannel), sumTo(mul(gamma, perChannel), [])];
  },
  // −0 + 0 is +0, so a plain sum would flip the sign of a zero in h; a step of 0 therefore passes h on as it is. A step that
  // is NaN (f infinite or NaN) is not 0 and shows in y.
  lower: { wgsl: "select($0 + $3 * $2 * $1, $0, $3 * $2 * $1 == T(0.0))" },
  flops: (call) => 3 * sizeOf(call.output.shape),
});

export const blendOps = { blend: blendOp };

/**
 * h + α · γ ⊙ f with h and f [..., C], γ [C] and α []: how a seed joins its host. Where α · γ is 0 and f finite, the result
 * is h bit for bit.
 */
export function blend(h: Tensor, f: Tensor, gamma: Tensor, alpha: Tensor): Tensor {
  return apply(blendOp, [h, f, gamma, alpha], {});
}

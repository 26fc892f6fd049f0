import correctSource from "../shaders/loss/correct.wgsl" with { type: "text" };
import crossEntropySource from "../shaders/loss/cross_entropy.wgsl" with { type: "text" };
import crossEntropyGradientSource from "../shaders/loss/cross_entropy_gradient.wgsl" with { type: "text" };
import softmaxSource from "../shaders/loss/softmax.wgsl" with { type: "text" };
import softmaxGradientSource from "../shaders/loss/softmax_gradient.wgsl" with { type: "text" };
import { type Attrs, type Call, single, type Variant, workgroupsFor } from "../src/engine/gpu/kernel.ts";
import { sizeOf } from "../src/util/shape.ts";

export type SmoothingAttrs = { readonly smoothing: number };

/** A kernel with an invocation for each row of classes, which are the last dimension of input `logits`. */
function rowVariants<A extends Attrs>(
  name: string,
  source: string,
  logits: number,
  constants: (attrs: A) => Record<string, number> = () => ({}),
): readonly Variant<A>[] {
  return [{
    id: "rows",
    fits: () => true,
    lower(call: Call<A>) {
      const { shape } = call.inputs[logits];
      const k = shape.at(-1)!, n = sizeOf(shape) / k;
      return single({
        name: `loss/${name}`,
        source,
        constants: { N: n, K: k, ...constants(call.attrs) },
        operands: [...call.inputs.map((_, input) => ({ input })), "output"],
        workgroups: workgroupsFor(n, 64),
      });
    },
  }];
}

const smoothed = ({ smoothing }: SmoothingAttrs) => ({ SMOOTHING: smoothing });

export const softmaxVariants = rowVariants("softmax", softmaxSource, 0);
export const softmaxGradientVariants = rowVariants("softmax_gradient", softmaxGradientSource, 0);
export const crossEntropyVariants = rowVariants("cross_entropy", crossEntropySource, 0, smoothed);
export const crossEntropyGradientVariants = rowVariants(
  "cross_entropy_gradient",
  crossEntropyGradientSource,
  1,
  smoothed,
);
export const correctVariants = rowVariants("correct", correctSource, 0);

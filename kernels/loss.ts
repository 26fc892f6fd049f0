import correctSource from "../shaders/loss/correct.wgsl" with { type: "text" };
import correctSumSource from "../shaders/loss/correct_sum.wgsl" with { type: "text" };
import crossEntropySource from "../shaders/loss/cross_entropy.wgsl" with { type: "text" };
import crossEntropyGradientSource from "../shaders/loss/cross_entropy_gradient.wgsl" with { type: "text" };
import crossEntropySumSource from "../shaders/loss/cross_entropy_sum.wgsl" with { type: "text" };
import softmaxSource from "../shaders/loss/softmax.wgsl" with { type: "text" };
import softmaxGradientSource from "../shaders/loss/softmax_gradient.wgsl" with { type: "text" };
import { type Attrs, type Call, single, type Variant, workgroupsFor } from "../src/engine/gpu/kernel.ts";
import { sizeOf } from "../src/util/shape.ts";
import { reduceRuns } from "./reduce.ts";
import { lanesFor } from "./tile.ts";

export type SmoothingAttrs = { readonly smoothing: number };
export type ScaleAttrs = { readonly scale: number };

/** A kernel with an invocation for each row of classes, which are the last dimension of the first input. */
function rowVariants<A extends Attrs>(
  name: string,
  source: string,
  constants: (attrs: A, classes: number) => Record<string, number> = () => ({}),
): readonly Variant<A>[] {
  return [{
    id: "rows",
    fits: () => true,
    lower(call: Call<A>) {
      const { shape } = call.inputs[0];
      const k = shape.at(-1)!, n = sizeOf(shape) / k;
      return single({
        name: `loss/${name}`,
        source,
        constants: { N: n, K: k, ...constants(call.attrs, k) },
        operands: [...call.inputs.map((_, input) => ({ input })), "output"],
        workgroups: workgroupsFor(n, 64),
      });
    },
  }];
}

/** Classes that an invocation takes in straight line. */
const unrolled = (classes: number) => ({ UNROLL: Math.min(classes, 16) });
/** Logits that one workgroup goes through faster than two dispatches go through all. */
const ONE_WORKGROUP = 32_768;

/** SCALE · the sum of what `rows` computes for each row: in one workgroup, or row by row and then by a reduction. */
function sumVariants<A extends ScaleAttrs>(
  name: string,
  source: string,
  rows: { readonly name: string; readonly source: string },
  constants: (attrs: A) => Record<string, number> = () => ({}),
): readonly Variant<A>[] {
  const byRows = (grouped: boolean) => ({ inputs: [{ shape: [n, k] }], attrs }: Call<A>) => {
    const options = { scale: attrs.scale, maximum: false, grouped, offset: 0 };
    const rest = reduceRuns([{ outer: 1, reduced: n, inner: 1 }], options, { scratch: 0 }, [4 * n]);
    return {
      dispatches: [{
        name: `loss/${rows.name}`,
        source: rows.source,
        constants: { N: n, K: k, ...constants(attrs) },
        operands: [{ input: 0 }, { input: 1 }, { scratch: 0 }],
        workgroups: workgroupsFor(n, 64),
      }, ...rest.dispatches],
      scratchBytes: rest.scratchBytes,
    };
  };
  return [{
    id: "rows",
    fits: (_, device) => device.software,
    lower: byRows(false),
  }, {
    id: "workgroup",
    fits: ({ inputs: [logits] }) => sizeOf(logits.shape) <= ONE_WORKGROUP,
    lower({ inputs: [{ shape: [n, k] }], attrs }) {
      const lanes = lanesFor(16 * n);
      return single({
        name: `loss/${name}`,
        source,
        constants: {
          N: n,
          K: k,
          ...unrolled(k),
          SCALE: attrs.scale,
          LANES: lanes,
          STEPS: Math.log2(lanes),
          ...constants(attrs),
        },
        operands: [{ input: 0 }, { input: 1 }, "output"],
        workgroups: [1, 1, 1],
      });
    },
  }, {
    id: "groupedRows",
    fits: () => true,
    lower: byRows(true),
  }];
}

const smoothed = ({ smoothing }: SmoothingAttrs) => ({ SMOOTHING: smoothing });

export const softmaxVariants = rowVariants("softmax", softmaxSource);
export const softmaxGradientVariants = rowVariants("softmax_gradient", softmaxGradientSource);
export const crossEntropyVariants = rowVariants("cross_entropy", crossEntropySource, smoothed);
export const crossEntropySumVariants = sumVariants<SmoothingAttrs & ScaleAttrs>(
  "cross_entropy_sum",
  crossEntropySumSource,
  { name: "cross_entropy", source: crossEntropySource },
  smoothed,
);
export const crossEntropyGradientVariants = rowVariants<SmoothingAttrs & ScaleAttrs>(
  "cross_entropy_gradient",
  crossEntropyGradientSource,
  ({ smoothing, scale }, classes) => ({ SMOOTHING: smoothing, SCALE: scale, ...unrolled(classes) }),
);
export const correctVariants = rowVariants("correct", correctSource);
export const correctSumVariants = sumVariants<ScaleAttrs>(
  "correct_sum",
  correctSumSource,
  { name: "correct", source: correctSource },
);

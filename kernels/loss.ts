import correctSource from "../shaders/loss/correct.wgsl" with { type: "text" };
import crossEntropySource from "../shaders/loss/cross_entropy.wgsl" with { type: "text" };
import crossEntropyGradientSource from "../shaders/loss/cross_entropy_gradient.wgsl" with { type: "text" };
import meanCrossEntropySource from "../shaders/loss/mean_cross_entropy.wgsl" with { type: "text" };
import mergeSource from "../shaders/loss/mean_cross_entropy_merge.wgsl" with { type: "text" };
import softmaxSource from "../shaders/loss/softmax.wgsl" with { type: "text" };
import softmaxGradientSource from "../shaders/loss/softmax_gradient.wgsl" with { type: "text" };
import {
  type Attrs,
  type Call,
  type Dispatch,
  type Lowering,
  single,
  type Variant,
  workgroupsFor,
} from "../src/engine/gpu/kernel.ts";
import { sizeOf } from "../src/util/shape.ts";

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
/** Numbers before the gradient in the result of `meanCrossEntropy`: a block, so that the gradient is a range of it. */
export const SCORES = 64;
/** Times that one workgroup takes up rows in less time than a second dispatch needs. */
const LONE_PASSES = 4;
/** Workgroups whose pairs of sums have room in a block. */
const MOST_GROUPS = SCORES / 2;

/** The power of two at or above `value`, between two others. */
const powerOfTwo = (value: number, least: number, most: number) =>
  Math.min(most, Math.max(least, 2 ** Math.ceil(Math.log2(value))));

/** Workgroups of `lanes`, `width` of them a row, go through the rows; where there are several, a second dispatch adds up. */
function lowerMeanCrossEntropy(
  { inputs, attrs: { smoothing } }: Call<SmoothingAttrs>,
  { width, lanes, unroll }: { width: number; lanes: number; unroll: number },
): Lowering {
  const [n, k] = inputs[0].shape;
  const passes = Math.ceil(n * width / lanes);
  const groups = passes <= LONE_PASSES ? 1 : Math.min(MOST_GROUPS, passes);
  const scaled = inputs.length > 2;
  const scores: Dispatch = {
    name: "loss/mean_cross_entropy",
    source: meanCrossEntropySource,
    constants: {
      N: n,
      K: k,
      SMOOTHING: smoothing,
      SCALED: Number(scaled),
      GROUPS: groups,
      LANES: lanes,
      STEPS: Math.log2(lanes),
      WIDTH: width,
      WIDTH_STEPS: Math.log2(width),
      UNROLL: Math.min(Math.ceil(k / width), unroll),
    },
    operands: [{ input: 0 }, { input: 1 }, { input: scaled ? 2 : 0 }, "output"],
    workgroups: [groups, 1, 1],
  };
  if (groups === 1) return single(scores);
  const merge: Dispatch = {
    name: "loss/mean_cross_entropy_merge",
    source: mergeSource,
    constants: { GROUPS: groups },
    operands: ["output"],
    workgroups: [1, 1, 1],
  };
  return { dispatches: [scores, merge], scratchBytes: [] };
}

export const meanCrossEntropyVariants: readonly Variant<SmoothingAttrs>[] = [{
  id: "rows",
  fits: (_, device) => device.software,
  lower: (call) => lowerMeanCrossEntropy(call, { width: 1, lanes: 64, unroll: 4 }),
}, {
  id: "sharedRows",
  fits: (_, device) => !device.software,
  lower(call) {
    const [n, k] = call.inputs[0].shape, width = powerOfTwo(k / 16, 1, 64);
    return lowerMeanCrossEntropy(call, { width, lanes: powerOfTwo(n * width, 64, 256), unroll: 16 });
  },
}];

const smoothed = ({ smoothing }: SmoothingAttrs) => ({ SMOOTHING: smoothing });

export const softmaxVariants = rowVariants("softmax", softmaxSource);
export const softmaxGradientVariants = rowVariants("softmax_gradient", softmaxGradientSource);
export const crossEntropyVariants = rowVariants("cross_entropy", crossEntropySource, smoothed);
export const crossEntropyGradientVariants = rowVariants<SmoothingAttrs & ScaleAttrs>(
  "cross_entropy_gradient",
  crossEntropyGradientSource,
  ({ smoothing, scale }, classes) => ({ SMOOTHING: smoothing, SCALE: scale, ...unrolled(classes) }),
);
export const correctVariants = rowVariants("correct", correctSource);

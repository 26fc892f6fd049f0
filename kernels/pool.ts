import averageSource from "../shaders/pool/average.wgsl" with { type: "text" };
import average4Source from "../shaders/pool/average4.wgsl" with { type: "text" };
import averageGradientSource from "../shaders/pool/average_gradient.wgsl" with { type: "text" };
import averageGradient4Source from "../shaders/pool/average_gradient4.wgsl" with { type: "text" };
import maxSource from "../shaders/pool/max.wgsl" with { type: "text" };
import max4Source from "../shaders/pool/max4.wgsl" with { type: "text" };
import maxGradientSource from "../shaders/pool/max_gradient.wgsl" with { type: "text" };
import maxGradient4Source from "../shaders/pool/max_gradient4.wgsl" with { type: "text" };
import overlapSource from "../shaders/pool/max_gradient_overlap.wgsl" with { type: "text" };
import overlap4Source from "../shaders/pool/max_gradient_overlap4.wgsl" with { type: "text" };
import { type Call, type Lowering, single, type Variant, workgroupsFor } from "../src/engine/gpu/kernel.ts";
import type { Shape } from "../src/util/shape.ts";

export type PoolAttrs = { readonly kernel: number; readonly stride: number };
export type PoolGradientAttrs = PoolAttrs & { readonly height: number; readonly width: number };

/** Windows along one dimension of `size`. */
export function poolSize(size: number, { kernel, stride }: PoolAttrs): number {
  return Math.floor((size - kernel) / stride) + 1;
}

type Sources = readonly [scalar: string, vector: string];

/** A kernel over [N, H, W, C] with an invocation for each of `threads(H, W)` positions and each channel or four. */
function lowerPool(
  call: Call<PoolAttrs>,
  name: string,
  sources: Sources,
  image: Shape,
  positions: (call: Call<PoolAttrs>) => number,
): Lowering {
  const [n, h, w, channels] = image;
  const vector = channels % 4 === 0;
  const c = vector ? channels / 4 : channels;
  const { kernel, stride } = call.attrs;
  return single({
    name: `pool/${name}${vector ? "4" : ""}`,
    source: sources[vector ? 1 : 0],
    constants: {
      N: n,
      H: h,
      W: w,
      C: c,
      OH: poolSize(h, call.attrs),
      OW: poolSize(w, call.attrs),
      KERNEL: kernel,
      STRIDE: stride,
    },
    operands: [...call.inputs.map((_, input) => ({ input })), "output"],
    workgroups: workgroupsFor(n * positions(call) * c, 64),
  });
}

const outputPositions = (call: Call<PoolAttrs>) => call.output.shape[1] * call.output.shape[2];

function forward(name: string, sources: Sources): readonly Variant<PoolAttrs>[] {
  return [{
    id: "direct",
    fits: () => true,
    lower: (call) => lowerPool(call, name, sources, call.inputs[0].shape, outputPositions),
  }];
}

export const maxPoolVariants = forward("max", [maxSource, max4Source]);
export const averagePoolVariants = forward("average", [averageSource, average4Source]);

export const maxPoolGradientVariants: readonly Variant<PoolAttrs>[] = [{
  id: "tiles",
  fits: (call) => call.attrs.stride >= call.attrs.kernel,
  lower: (call) =>
    lowerPool(
      call,
      "max_gradient",
      [maxGradientSource, maxGradient4Source],
      call.output.shape,
      ({ output: { shape: [, h, w] }, attrs: { stride } }) => Math.ceil(h / stride) * Math.ceil(w / stride),
    ),
}, {
  id: "overlap",
  fits: (call) => call.attrs.stride <= call.attrs.kernel,
  lower: (call) =>
    lowerPool(
      call,
      "max_gradient_overlap",
      [overlapSource, overlap4Source],
      call.output.shape,
      outputPositions,
    ),
}];

export const averagePoolGradientVariants: readonly Variant<PoolGradientAttrs>[] = [{
  id: "direct",
  fits: () => true,
  lower: (call) =>
    lowerPool(
      call,
      "average_gradient",
      [averageGradientSource, averageGradient4Source],
      call.output.shape,
      outputPositions,
    ),
}];

import depthwise3Source from "../shaders/conv2d/weights_depthwise3.wgsl" with { type: "text" };
import narrow3Source from "../shaders/conv2d/weights_narrow3.wgsl" with { type: "text" };
import plainSource from "../shaders/conv2d/weights_plain.wgsl" with { type: "text" };
import stripSource from "../shaders/conv2d/weights_strip.wgsl" with { type: "text" };
import strip3Source from "../shaders/conv2d/weights_strip3.wgsl" with { type: "text" };
import productSource from "../shaders/product/weight_gradient.wgsl" with { type: "text" };
import anySource from "../shaders/product/weight_gradient_any.wgsl" with { type: "text" };
import octetsSource from "../shaders/product/weight_gradient_octets.wgsl" with { type: "text" };
import sumSource from "../shaders/conv2d/sum_partials.wgsl" with { type: "text" };
import {
  type Call,
  type Dispatch,
  type Lowering,
  type Variant,
  workgroupsFor,
} from "../src/engine/gpu/kernel.ts";
import { sizeOf } from "../src/util/shape.ts";
import { type ConvAttrs, type ConvSizes, convSizes } from "./conv_sizes.ts";
import { type Product, productVariants } from "./product.ts";
import { reduceRuns } from "./reduce.ts";
import { type Winograd, winogradVariants } from "./winograd.ts";

export type WeightGradientAttrs = ConvAttrs & { kernel: readonly number[] };
type WeightCall = Call<WeightGradientAttrs>;

function sizesOf({ inputs: [x, dy], output, attrs }: WeightCall): ConvSizes {
  return convSizes(x.shape, output.shape, dy.shape, attrs.groups);
}

const wholeVectors = ({ depthwise, inChannels, outChannels }: ConvSizes) =>
  !depthwise && inChannels % 4 === 0 && outChannels % 4 === 0;

/** Sizes as the shaders name them, channels counted in units of `unit` and `sourceUnit`. */
function sizeConstants(
  sizes: ConvSizes,
  unit: number,
  padding: number,
  sourceUnit = unit,
): Record<string, number> {
  return {
    BATCH: sizes.batch,
    SOURCE_HEIGHT: sizes.input[0],
    SOURCE_WIDTH: sizes.input[1],
    SOURCE_CHANNELS: sizes.inChannels / sourceUnit,
    HEIGHT: sizes.output[0],
    WIDTH: sizes.output[1],
    CHANNELS: sizes.outChannels / unit,
    KERNEL_HEIGHT: sizes.kernel[0],
    PADDING: padding,
  };
}

/** A chunk's share of `total` and the number of chunks, for `wanted` chunks of at least `least`. */
function split(total: number, wanted: number, least: number): { share: number; chunks: number } {
  const share = Math.max(least, Math.ceil(total / Math.max(1, wanted)));
  return { share, chunks: Math.ceil(total / share) };
}

/** `partial` writes one partial gradient a chunk; further dispatches add them up in a fixed order. */
function summed(
  call: WeightCall,
  chunks: number,
  partial: Omit<Dispatch, "operands">,
  grouped = false,
): Lowering {
  const inputs = [{ input: 0 }, { input: 1 }] as const;
  if (chunks === 1) {
    return { dispatches: [{ ...partial, operands: [...inputs, "output"] }], scratchBytes: [] };
  }
  const size = sizeOf(call.output.shape);
  if (grouped) {
    const options = { scale: 1, maximum: false, grouped, offset: 0 };
    const run = { outer: 1, reduced: chunks, inner: size };
    const { dispatches, scratchBytes } = reduceRuns([run], options, { scratch: 0 }, [4 * size * chunks]);
    return {
      dispatches: [{ ...partial, operands: [...inputs, { scratch: 0 }] }, ...dispatches],
      scratchBytes,
    };
  }
  return {
    dispatches: [{ ...partial, operands: [...inputs, { scratch: 0 }] }, {
      name: "conv2d/sum_partials",
      source: sumSource,
      constants: { SIZE: size, CHUNKS: chunks },
      operands: [{ scratch: 0 }, "output"],
      workgroups: workgroupsFor(size, 64),
    }],
    scratchBytes: [4 * size * chunks],
  };
}

/** Invocations that keep the few cores of a software adapter busy; more only add partial sums. */
const SOFTWARE_INVOCATIONS = 384;
const GPU_INVOCATIONS = 65_536;

/** Splits the rows of all images so that `units` invocations a chunk make `wanted` in all. */
function splitRows({ batch, output }: ConvSizes, units: number, wanted: number) {
  const { share, chunks } = split(batch * output[0], Math.ceil(wanted / units), 1);
  return { rows: { CHUNKS: chunks, ROWS_PER_CHUNK: share }, chunks };
}

/** For machines without fast shared memory: three taps of a row × some source channels × 4 channels an invocation. */
function sliding(
  id: string,
  source: string,
  fits: (sizes: ConvSizes) => boolean,
  blocks: (sizes: ConvSizes) => number,
  constants: (sizes: ConvSizes, padding: number) => Record<string, number>,
): Variant<WeightGradientAttrs> {
  return {
    id,
    fits(call, device) {
      const sizes = sizesOf(call);
      return device.software && sizes.kernel[1] === 3 && call.attrs.stride === 1 &&
        sizes.outChannels % 4 === 0 && fits(sizes);
    },
    lower(call) {
      const sizes = sizesOf(call);
      const units = sizes.kernel[0] * blocks(sizes) * (sizes.outChannels / 4);
      const { rows, chunks } = splitRows(sizes, units, SOFTWARE_INVOCATIONS);
      return summed(call, chunks, {
        name: `conv2d/weights_${id}`,
        source,
        constants: { ...constants(sizes, call.attrs.padding), ...rows },
        workgroups: workgroupsFor(units * chunks, 32),
      });
    },
  };
}

/** Blocks of 4 channels an invocation. */
const blocksOf = ({ outChannels }: ConvSizes) => outChannels % 8 === 0 ? 2 : 1;

const strip3 = sliding(
  "strip3",
  strip3Source,
  wholeVectors,
  (sizes) => sizes.inChannels / 4 / blocksOf(sizes),
  (sizes, padding) => ({ ...sizeConstants(sizes, 4, padding), BLOCKS: blocksOf(sizes) }),
);

const narrow3 = sliding(
  "narrow3",
  narrow3Source,
  ({ depthwise }) => !depthwise,
  ({ inChannels }) => Math.ceil(inChannels / 3),
  (sizes, padding) => sizeConstants(sizes, 4, padding, 1),
);

const depthwise3 = sliding(
  "depthwise3",
  depthwise3Source,
  ({ depthwise }) => depthwise,
  () => 1,
  (sizes, padding) => {
    const { SOURCE_CHANNELS: _, ...constants } = sizeConstants(sizes, 4, padding);
    return constants;
  },
);

/** The same in as many chunks as a GPU wants. */
const depthwise3Many: Variant<WeightGradientAttrs> = {
  id: "depthwise3Many",
  fits(call) {
    const { kernel, outChannels, depthwise } = sizesOf(call);
    return depthwise && kernel[1] === 3 && call.attrs.stride === 1 && outChannels % 4 === 0;
  },
  lower(call) {
    const sizes = sizesOf(call);
    const units = sizes.kernel[0] * (sizes.outChannels / 4);
    const { rows, chunks } = splitRows(sizes, units, GPU_INVOCATIONS);
    const { SOURCE_CHANNELS: _, ...constants } = sizeConstants(sizes, 4, call.attrs.padding);
    return summed(call, chunks, {
      name: "conv2d/weights_depthwise3",
      source: depthwise3Source,
      constants: { ...constants, ...rows },
      workgroups: workgroupsFor(units * chunks, 32),
    }, true);
  },
};

const strip: Variant<WeightGradientAttrs> = {
  id: "strip",
  fits: (call, device) => device.software && wholeVectors(sizesOf(call)),
  lower(call) {
    const sizes = sizesOf(call);
    const units = sizeOf(sizes.kernel) * (sizes.inChannels / 4) * (sizes.outChannels / 4);
    const { rows, chunks } = splitRows(sizes, units, SOFTWARE_INVOCATIONS);
    return summed(call, chunks, {
      name: "conv2d/weights_strip",
      source: stripSource,
      constants: {
        ...sizeConstants(sizes, 4, call.attrs.padding),
        KERNEL_WIDTH: sizes.kernel[1],
        STRIDE: call.attrs.stride,
        ...rows,
      },
      workgroups: workgroupsFor(units * chunks, 32),
    });
  },
};

/** The gradient as a product; null where there is none. */
export function weightProduct(call: WeightCall): Product | null {
  const sizes = sizesOf(call);
  const { batch, input, inChannels, kernel, output, outChannels } = sizes;
  if (sizes.depthwise || outChannels % 4 !== 0) return null;
  const vectors = inChannels % 4 === 0;
  const m = sizeOf(kernel) * inChannels, k = batch * sizeOf(output);
  const constants = {
    SOURCE_HEIGHT: input[0],
    SOURCE_WIDTH: input[1],
    HEIGHT: output[0],
    WIDTH: output[1],
    KERNEL_WIDTH: kernel[1],
    STRIDE: call.attrs.stride,
    PADDING: call.attrs.padding,
    PIXELS: k,
  };
  return {
    name: "conv2d/weight_gradient",
    operands: vectors ? productSource : anySource,
    constants: { ...constants, SOURCE_CHANNELS: vectors ? inChannels / 4 : inChannels },
    octets: inChannels % 8 === 0 && outChannels % 8 === 0
      ? { operands: octetsSource, constants: { ...constants, SOURCE_OCTETS: inChannels / 8 } }
      : undefined,
    alongK: [false, false],
    batch: 1,
    m,
    n: outChannels,
    k,
    rows: m,
  };
}

/** The gradient as Winograd's minimal filtering; null where that does not apply. */
function winogradOf(call: WeightCall): Winograd | null {
  const sizes = sizesOf(call);
  const { batch, input, inChannels, kernel, output, outChannels } = sizes;
  if (call.attrs.stride !== 1 || kernel.some((taps) => taps !== 3) || !wholeVectors(sizes)) return null;
  return {
    wanted: "filter",
    batch,
    source: input,
    sourceChannels: inChannels,
    result: output,
    channels: outChannels,
    padding: call.attrs.padding,
    turned: false,
  };
}

const winograd = winogradVariants(winogradOf, weightProduct);

const plain: Variant<WeightGradientAttrs> = {
  id: "plain",
  fits: () => true,
  lower(call, device) {
    const sizes = sizesOf(call);
    const units = sizeOf(call.output.shape);
    const wanted = device.software ? SOFTWARE_INVOCATIONS : GPU_INVOCATIONS;
    const { rows, chunks } = splitRows(sizes, units, wanted);
    return summed(call, chunks, {
      name: "conv2d/weights_plain",
      source: plainSource,
      constants: {
        ...sizeConstants(sizes, 1, call.attrs.padding),
        KERNEL_WIDTH: sizes.kernel[1],
        STRIDE: call.attrs.stride,
        DEPTHWISE: Number(sizes.depthwise),
        DEPTH: sizes.depthwise ? 1 : sizes.inChannels,
        ...rows,
      },
      workgroups: workgroupsFor(units * chunks, 64),
    }, !device.software);
  },
};

export const weightGradientVariants: readonly Variant<WeightGradientAttrs>[] = [
  strip3,
  strip,
  narrow3,
  depthwise3,
  depthwise3Many,
  winograd.best,
  ...productVariants(weightProduct),
  ...winograd.each,
  plain,
];

import plainSource from "../shaders/conv2d/weights_plain.wgsl" with { type: "text" };
import stripSource from "../shaders/conv2d/weights_strip.wgsl" with { type: "text" };
import strip3Source from "../shaders/conv2d/weights_strip3.wgsl" with { type: "text" };
import tiledSource from "../shaders/conv2d/weights_tiled.wgsl" with { type: "text" };
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

export type WeightGradientAttrs = ConvAttrs & { kernel: readonly number[] };
type WeightCall = Call<WeightGradientAttrs>;

function sizesOf({ inputs: [x, dy], output, attrs }: WeightCall): ConvSizes {
  return convSizes(x.shape, output.shape, dy.shape, attrs.groups);
}

const wholeVectors = ({ depthwise, inChannels, outChannels }: ConvSizes) =>
  !depthwise && inChannels % 4 === 0 && outChannels % 4 === 0;

/** Sizes as the shaders name them, channels counted in units of `unit`. */
function sizeConstants(sizes: ConvSizes, unit: number, padding: number): Record<string, number> {
  return {
    BATCH: sizes.batch,
    SOURCE_HEIGHT: sizes.input[0],
    SOURCE_WIDTH: sizes.input[1],
    SOURCE_CHANNELS: sizes.inChannels / unit,
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

/** `partial` writes one partial gradient a chunk; a second dispatch adds them up in order. */
function summed(call: WeightCall, chunks: number, partial: Omit<Dispatch, "operands">): Lowering {
  const inputs = [{ input: 0 }, { input: 1 }] as const;
  if (chunks === 1) {
    return { dispatches: [{ ...partial, operands: [...inputs, "output"] }], scratchBytes: [] };
  }
  const size = sizeOf(call.output.shape);
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
const GPU_WORKGROUPS = 512;

/** Splits the rows of all images so that `units` invocations a chunk make `wanted` in all. */
function splitRows({ batch, output }: ConvSizes, units: number, wanted: number) {
  const { share, chunks } = split(batch * output[0], Math.ceil(wanted / units), 1);
  return { rows: { CHUNKS: chunks, ROWS_PER_CHUNK: share }, chunks };
}

const strip3: Variant<WeightGradientAttrs> = {
  id: "strip3",
  fits(call, device) {
    const sizes = sizesOf(call);
    return device.software && wholeVectors(sizes) && sizes.kernel[1] === 3 && call.attrs.stride === 1;
  },
  lower(call) {
    const sizes = sizesOf(call);
    const units = sizes.kernel[0] * (sizes.inChannels / 4) * (sizes.outChannels / 4);
    const { rows, chunks } = splitRows(sizes, units, SOFTWARE_INVOCATIONS);
    return summed(call, chunks, {
      name: "conv2d/weights_strip3",
      source: strip3Source,
      constants: { ...sizeConstants(sizes, 4, call.attrs.padding), ...rows },
      workgroups: workgroupsFor(units * chunks, 32),
    });
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

const tiled = (
  rows: number,
  columns: number,
  fits: (sizes: ConvSizes) => boolean,
): Variant<WeightGradientAttrs> => ({
  id: `tiled${4 * rows}x${4 * columns}`,
  fits: (call, device) => !device.software && wholeVectors(sizesOf(call)) && fits(sizesOf(call)),
  lower(call) {
    const sizes = sizesOf(call);
    const x = Math.ceil(sizes.outChannels / (4 * columns));
    const y = Math.ceil(sizeOf(sizes.kernel) * sizes.inChannels / (4 * rows));
    const { share, chunks } = split(
      Math.ceil(sizes.batch * sizeOf(sizes.output) / 32),
      Math.ceil(GPU_WORKGROUPS / (x * y)),
      4,
    );
    return summed(call, chunks, {
      name: `conv2d/weights_tiled${4 * rows}x${4 * columns}`,
      source: tiledSource,
      constants: {
        ...sizeConstants(sizes, 4, call.attrs.padding),
        KERNEL_WIDTH: sizes.kernel[1],
        STRIDE: call.attrs.stride,
        CHUNK: 32 * share,
        ROWS: rows,
        COLUMNS: columns,
      },
      workgroups: [x, y, chunks],
    });
  },
});

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
    });
  },
};

export const weightGradientVariants: readonly Variant<WeightGradientAttrs>[] = [
  strip3,
  strip,
  tiled(16, 16, (sizes) => sizes.outChannels > 32),
  tiled(16, 8, (sizes) => sizes.outChannels > 16),
  tiled(16, 4, () => true),
  plain,
];

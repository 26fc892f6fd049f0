import depthwise3Source from "../shaders/conv2d/depthwise3.wgsl" with { type: "text" };
import narrowSource from "../shaders/conv2d/narrow.wgsl" with { type: "text" };
import plainSource from "../shaders/conv2d/plain.wgsl" with { type: "text" };
import stripSource from "../shaders/conv2d/strip.wgsl" with { type: "text" };
import strip3Source from "../shaders/conv2d/strip3.wgsl" with { type: "text" };
import convolutionSource from "../shaders/product/convolution.wgsl" with { type: "text" };
import anySource from "../shaders/product/convolution_any.wgsl" with { type: "text" };
import convolutionOctets from "../shaders/product/convolution_octets.wgsl" with { type: "text" };
import gradientOctets from "../shaders/product/input_gradient_octets.wgsl" with { type: "text" };
import gradientSource from "../shaders/product/input_gradient.wgsl" with { type: "text" };
import { type Attrs, type Call, single, type Variant, workgroupsFor } from "../src/engine/gpu/kernel.ts";
import { type ConvAttrs, convSizes } from "./conv_sizes.ts";
import { type Product, productVariants } from "./product.ts";
import { type Winograd, winogradVariants } from "./winograd.ts";

export type InputGradientAttrs = ConvAttrs & { input: readonly number[] };

/**
 * What the kernels of this family compute: a convolution of `source`, or the gradient of one for its input, where the
 * source is the output's cotangent.
 */
interface Task {
  readonly gradient: boolean;
  readonly batch: number;
  readonly source: readonly [number, number];
  readonly sourceChannels: number;
  readonly result: readonly [number, number];
  readonly channels: number;
  readonly kernel: readonly [number, number];
  readonly stride: number;
  readonly padding: number;
  readonly depthwise: boolean;
}

function forwardTask({ inputs: [x, w], output, attrs }: Call<ConvAttrs>): Task {
  const { batch, input, inChannels, kernel, output: result, outChannels, depthwise } = convSizes(
    x.shape,
    w.shape,
    output.shape,
    attrs.groups,
  );
  return {
    gradient: false,
    batch,
    source: input,
    sourceChannels: inChannels,
    result,
    channels: outChannels,
    kernel,
    stride: attrs.stride,
    padding: attrs.padding,
    depthwise,
  };
}

function gradientTask({ inputs: [dy, w], output, attrs }: Call<InputGradientAttrs>): Task {
  const sizes = convSizes(output.shape, w.shape, dy.shape, attrs.groups);
  return {
    gradient: true,
    batch: sizes.batch,
    source: sizes.output,
    sourceChannels: sizes.outChannels,
    result: sizes.input,
    channels: sizes.inChannels,
    kernel: sizes.kernel,
    stride: attrs.stride,
    padding: attrs.padding,
    depthwise: sizes.depthwise,
  };
}

const operands = [{ input: 0 }, { input: 1 }, "output"] as const;
const wholeVectors = (task: Task) =>
  !task.depthwise && task.sourceChannels % 4 === 0 && task.channels % 4 === 0;

/** Sizes as the shaders name them, channels counted in units of `sourceUnit` and `unit`. */
function sizeConstants(task: Task, sourceUnit: number, unit: number): Record<string, number> {
  return {
    BATCH: task.batch,
    SOURCE_HEIGHT: task.source[0],
    SOURCE_WIDTH: task.source[1],
    SOURCE_CHANNELS: task.sourceChannels / sourceUnit,
    HEIGHT: task.result[0],
    WIDTH: task.result[1],
    CHANNELS: task.channels / unit,
    KERNEL_HEIGHT: task.kernel[0],
  };
}

function tapConstants(task: Task): Record<string, number> {
  return { KERNEL_WIDTH: task.kernel[1], STRIDE: task.stride, PADDING: task.padding };
}

/** Workgroups of 32 for kernels that compute `pixels` columns, `step` apart, × 4 channels an invocation. */
function stripWorkgroups(
  { batch, result: [height, width], channels }: Task,
  { step = 1, pixels = 4 } = {},
): [number, number, number] {
  const rows = step * Math.ceil(height / step), strips = step * Math.ceil(width / (pixels * step));
  return workgroupsFor(batch * rows * strips * (channels / 4), 32);
}

/** Columns an invocation: many use each weight that is loaded more often, but a narrow image leaves some of them over. */
function stripPixels({ result: [, width] }: Task): number {
  return width > 8 ? 16 : width > 4 ? 8 : 4;
}

/** Values of a row that `narrow` holds at most, and products that it writes out. */
const MOST_SOURCES = 40, MOST_PRODUCTS = 128;

/** Values of a row under the taps of neighbouring results. */
const sourcesOf = ({ kernel: [, taps], stride }: Task, pixels: number) => (pixels - 1) * stride + taps;

/** Columns an invocation of `narrow`: as many as its limits allow. */
function narrowPixels(task: Task): number {
  let pixels = stripPixels(task);
  while (pixels > 1 && (sourcesOf(task, pixels) > MOST_SOURCES || pixels * task.kernel[1] > MOST_PRODUCTS)) {
    pixels /= 2;
  }
  return pixels;
}

/** Whether each source value can be loaded once for three taps of a row. */
function slides(task: Task): boolean {
  return task.kernel[1] === 3 && task.stride === 1 && task.padding < Math.min(3, task.kernel[0]);
}

/** Constants of the kernels that slide; a gradient is a convolution with the kernel turned by half a turn. */
function slidingConstants(task: Task): Record<string, number> {
  const [y, x] = task.kernel.map((k) => task.gradient ? k - 1 - task.padding : task.padding);
  return { PADDING_Y: y, PADDING_X: x, INPUT_GRADIENT: Number(task.gradient) };
}

/** A task as a matrix product; null where channels do not come in fours. */
function productOf(task: Task): Product | null {
  if (task.depthwise || task.channels % 4 !== 0) return null;
  return task.gradient ? gradientProduct(task) : forwardProduct(task);
}

const inEights = ({ sourceChannels, channels }: Task) => sourceChannels % 8 === 0 && channels % 8 === 0;

function forwardProduct(task: Task): Product {
  const { batch, result: [height, width], channels, sourceChannels, kernel, stride, padding } = task;
  const vectors = sourceChannels % 4 === 0;
  const m = batch * height * width, k = kernel[0] * kernel[1] * sourceChannels;
  const constants = {
    SOURCE_HEIGHT: task.source[0],
    SOURCE_WIDTH: task.source[1],
    HEIGHT: height,
    WIDTH: width,
    KERNEL_WIDTH: kernel[1],
    STRIDE: stride,
    PADDING: padding,
  };
  return {
    name: "conv2d/forward",
    operands: vectors ? convolutionSource : anySource,
    constants: {
      ...constants,
      SOURCE_CHANNELS: vectors ? sourceChannels / 4 : sourceChannels,
      ...vectors ? {} : { K: k },
    },
    octets: inEights(task)
      ? {
        operands: convolutionOctets,
        constants: { ...constants, SOURCE_OCTETS: sourceChannels / 8, K: k },
      }
      : undefined,
    alongK: [true, false],
    batch: 1,
    m,
    n: channels,
    k,
    rows: m,
  };
}

function gradientProduct(task: Task): Product | null {
  const { batch, result: [height, width], channels, sourceChannels, kernel, stride, padding } = task;
  if (sourceChannels % 4 !== 0) return null;
  const perClass = (size: number) => Math.ceil(size / stride);
  const k = perClass(kernel[0]) * perClass(kernel[1]) * sourceChannels;
  const constants = {
    HEIGHT: task.source[0],
    WIDTH: task.source[1],
    SOURCE_HEIGHT: height,
    SOURCE_WIDTH: width,
    KERNEL_HEIGHT: kernel[0],
    KERNEL_WIDTH: kernel[1],
    STRIDE: stride,
    PADDING: padding,
  };
  return {
    name: "conv2d/input_gradient",
    operands: gradientSource,
    constants: { ...constants, CHANNELS: sourceChannels / 4 },
    octets: inEights(task)
      ? { operands: gradientOctets, constants: { ...constants, OCTETS: sourceChannels / 8, K: k } }
      : undefined,
    alongK: [true, true],
    batch: stride * stride,
    m: batch * perClass(height) * perClass(width),
    n: channels,
    k,
    rows: batch * height * width,
  };
}

/** A task as Winograd's minimal filtering; null where that does not apply. */
function winogradOf(task: Task): Winograd | null {
  if (task.stride !== 1 || task.kernel.some((taps) => taps !== 3) || !wholeVectors(task)) return null;
  const { gradient, padding } = task;
  return { ...task, wanted: "result", padding: gradient ? 2 - padding : padding, turned: gradient };
}

/** The ordered variants for one way to see a call as a task. */
function variantsOf<A extends Attrs>(taskOf: (call: Call<A>) => Task): readonly Variant<A>[] {
  const strip3: Variant<A> = {
    id: "strip3",
    fits: (call, device) => device.software && wholeVectors(taskOf(call)) && slides(taskOf(call)),
    lower(call) {
      const task = taskOf(call);
      const pixels = stripPixels(task);
      return single({
        name: "conv2d/strip3",
        source: strip3Source,
        constants: {
          ...sizeConstants(task, 4, 4),
          ...slidingConstants(task),
          PIXELS: pixels,
          SOURCES: pixels + 2,
        },
        operands,
        workgroups: stripWorkgroups(task, { pixels }),
      });
    },
  };
  const depthwise3: Variant<A> = {
    id: "depthwise3",
    fits(call) {
      const task = taskOf(call);
      return task.depthwise && task.channels % 4 === 0 && slides(task);
    },
    lower(call) {
      const task = taskOf(call);
      const { SOURCE_CHANNELS: _, ...sizes } = sizeConstants(task, 4, 4);
      return single({
        name: "conv2d/depthwise3",
        source: depthwise3Source,
        constants: { ...sizes, ...slidingConstants(task) },
        operands,
        workgroups: stripWorkgroups(task),
      });
    },
  };
  const strip: Variant<A> = {
    id: "strip",
    fits: (call, device) => device.software && wholeVectors(taskOf(call)),
    lower(call) {
      const task = taskOf(call);
      return single({
        name: "conv2d/strip",
        source: stripSource,
        constants: {
          ...sizeConstants(task, 4, 4),
          ...tapConstants(task),
          INPUT_GRADIENT: Number(task.gradient),
        },
        operands,
        workgroups: stripWorkgroups(task, { step: task.gradient ? task.stride : 1 }),
      });
    },
  };
  /** For images of 3 channels. */
  const narrow: Variant<A> = {
    id: "narrow",
    fits(call, device) {
      const task = taskOf(call);
      return device.software && !task.gradient && !task.depthwise && task.channels % 4 === 0 &&
        task.kernel[1] <= MOST_SOURCES;
    },
    lower(call) {
      const task = taskOf(call);
      const pixels = narrowPixels(task);
      return single({
        name: "conv2d/narrow",
        source: narrowSource,
        constants: {
          ...sizeConstants(task, 1, 4),
          ...tapConstants(task),
          PIXELS: pixels,
          SOURCES: sourcesOf(task, pixels),
        },
        operands,
        workgroups: stripWorkgroups(task, { pixels }),
      });
    },
  };
  const plain: Variant<A> = {
    id: "plain",
    fits: () => true,
    lower(call) {
      const task = taskOf(call);
      return single({
        name: "conv2d/plain",
        source: plainSource,
        constants: {
          ...sizeConstants(task, 1, 1),
          ...tapConstants(task),
          INPUT_GRADIENT: Number(task.gradient),
          DEPTHWISE: Number(task.depthwise),
        },
        operands,
        workgroups: workgroupsFor(task.batch * task.result[0] * task.result[1] * task.channels, 64),
      });
    },
  };
  const product = (call: Call<A>) => productOf(taskOf(call));
  const winograd = winogradVariants((call: Call<A>) => winogradOf(taskOf(call)), product);
  return [
    strip3,
    depthwise3,
    strip,
    narrow,
    winograd.best,
    ...productVariants(product),
    ...winograd.each,
    plain,
  ];
}

export const conv2dVariants: readonly Variant<ConvAttrs>[] = variantsOf(forwardTask);
export const inputGradientVariants: readonly Variant<InputGradientAttrs>[] = variantsOf(gradientTask);

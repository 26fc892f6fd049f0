import { conv2dVariants, type InputGradientAttrs, inputGradientVariants } from "../../../kernels/conv2d.ts";
import { type WeightGradientAttrs, weightGradientVariants } from "../../../kernels/conv2d_weights.ts";
import {
  type ConvParameterAttrs,
  convParameterVariants,
  weightGradientOf,
} from "../../../kernels/parameter_gradients.ts";
import { type ConvAttrs, type ConvSizes, convSizes } from "../../../kernels/conv_sizes.ts";
import { formatShape, type Shape, sizeOf } from "../../util/shape.ts";
import type { TensorType } from "../gpu/kernel.ts";
import { apply, applyInsteadOf, type Tensor } from "../graph/tensor.ts";
import { defineOp } from "./define.ts";
import { summedColumns, withColumnSums } from "./reduce.ts";

export type { ConvAttrs } from "../../../kernels/conv_sizes.ts";

/** Calls `visit` with the flat indices of each product x · w that is part of y. */
function eachProduct(
  sizes: ConvSizes,
  { stride, padding }: ConvAttrs,
  visit: (x: number, w: number, y: number) => void,
): void {
  const { batch, input, inChannels, kernel, output, outChannels, depthwise } = sizes;
  const depth = depthwise ? 1 : inChannels;
  for (let n = 0; n < batch; n++) {
    for (let oy = 0; oy < output[0]; oy++) {
      for (let ox = 0; ox < output[1]; ox++) {
        for (let ky = 0; ky < kernel[0]; ky++) {
          for (let kx = 0; kx < kernel[1]; kx++) {
            const iy = oy * stride + ky - padding, ix = ox * stride + kx - padding;
            if (iy < 0 || iy >= input[0] || ix < 0 || ix >= input[1]) continue;
            const x = ((n * input[0] + iy) * input[1] + ix) * inChannels;
            const w = (ky * kernel[1] + kx) * depth * outChannels;
            const y = ((n * output[0] + oy) * output[1] + ox) * outChannels;
            for (let c = 0; c < depth; c++) {
              for (let o = 0; o < outChannels; o++) {
                visit(x + (depthwise ? o : c), w + c * outChannels + o, y + o);
              }
            }
          }
        }
      }
    }
  }
}

function checkAttrs(
  name: string,
  inputs: readonly TensorType[],
  { stride, padding, groups }: ConvAttrs,
): void {
  for (const { dtype, shape } of inputs) {
    if (dtype !== "f32" || shape.length !== 4) {
      throw new TypeError(`${name}: want f32 operands of rank 4, got ${dtype} ${formatShape(shape)}`);
    }
  }
  if (!Number.isInteger(stride) || stride < 1) {
    throw new RangeError(`${name}: want a stride of at least 1, got ${stride}`);
  }
  if (!Number.isInteger(padding) || padding < 0) {
    throw new RangeError(`${name}: want a padding of 0 or more pixels, got ${padding}`);
  }
  if (!Number.isInteger(groups) || groups < 1) {
    throw new RangeError(`${name}: want groups to be 1 or the number of channels, got ${groups}`);
  }
}

/** Shape of conv2d(x, w), checking everything that can be wrong about it. */
function outputShape(name: string, x: Shape, w: Shape, { stride, padding, groups }: ConvAttrs): Shape {
  const [n, height, width, channels] = x;
  const [kernelHeight, kernelWidth, depth, outChannels] = w;
  if (groups > 1 && (groups !== channels || groups !== outChannels)) {
    throw new TypeError(
      `${name}: want groups 1, or as many as both x ${formatShape(x)} and w ${
        formatShape(w)
      } have channels, ` +
        `got ${groups}; other groupings are not supported`,
    );
  }
  if (depth !== channels / groups) {
    throw new TypeError(
      `${name}: want w [KH, KW, ${channels / groups}, C] for x ${formatShape(x)} and groups ${groups}, ` +
        `got ${formatShape(w)}`,
    );
  }
  const outHeight = Math.floor((height + 2 * padding - kernelHeight) / stride) + 1;
  const outWidth = Math.floor((width + 2 * padding - kernelWidth) / stride) + 1;
  if (outHeight < 1 || outWidth < 1) {
    throw new RangeError(
      `${name}: the kernel ${formatShape([kernelHeight, kernelWidth])} is larger than the image ` +
        `${formatShape([height, width])} with padding ${padding}; add padding or use a smaller kernel`,
    );
  }
  return [n, outHeight, outWidth, outChannels];
}

/** Checks that `dy` has the shape that conv2d(x, w) would have. */
function checkCotangent(name: string, x: Shape, w: Shape, dy: Shape, attrs: ConvAttrs): void {
  const want = outputShape(name, x, w, attrs);
  if (formatShape(want) !== formatShape(dy)) {
    throw new TypeError(`${name}: want dy ${formatShape(want)}, got ${formatShape(dy)}`);
  }
}

/** Multiplications and additions, taps in the padding included. */
function convFlops({ batch, output, outChannels, kernel, inChannels, depthwise }: ConvSizes): number {
  return 2 * batch * sizeOf(output) * outChannels * sizeOf(kernel) * (depthwise ? 1 : inChannels);
}

const conv2dOp = defineOp<ConvAttrs>({
  name: "conv2d",
  storage: "half",
  type(inputs, attrs) {
    checkAttrs("conv2d", inputs, attrs);
    return { shape: outputShape("conv2d", inputs[0].shape, inputs[1].shape, attrs), dtype: "f32" };
  },
  reference([x, w], { inputs, output, attrs }) {
    const sizes = convSizes(inputs[0].shape, inputs[1].shape, output.shape, attrs.groups);
    const y = new Float64Array(sizeOf(output.shape));
    eachProduct(sizes, attrs, (i, j, k) => y[k] += x[i] * w[j]);
    return y;
  },
  gradient(dy, node) {
    const [x, w] = node.inputs;
    const attrs = node.attrs as ConvAttrs;
    return [
      apply(inputGradientOp, [dy, w], { ...attrs, input: x.shape.slice(1, 3) }),
      apply(weightGradientOp, [x, dy], { ...attrs, kernel: w.shape.slice(0, 2) }),
    ];
  },
  lower: conv2dVariants,
  flops: ({ inputs: [x, w], output, attrs }) =>
    convFlops(convSizes(x.shape, w.shape, output.shape, attrs.groups)),
});

const inputGradientOp = defineOp<InputGradientAttrs>({
  name: "conv2dInputGradient",
  storage: "half",
  type(inputs, attrs) {
    checkAttrs("conv2dInputGradient", inputs, attrs);
    const [dy, w] = inputs;
    const channels = w.shape[2] * attrs.groups;
    const shape = [dy.shape[0], attrs.input[0], attrs.input[1], channels];
    checkCotangent("conv2dInputGradient", shape, w.shape, dy.shape, attrs);
    return { shape, dtype: "f32" };
  },
  reference([dy, w], { inputs, output, attrs }) {
    const sizes = convSizes(output.shape, inputs[1].shape, inputs[0].shape, attrs.groups);
    const dx = new Float64Array(sizeOf(output.shape));
    eachProduct(sizes, attrs, (i, j, k) => dx[i] += dy[k] * w[j]);
    return dx;
  },
  lower: inputGradientVariants,
  flops: ({ inputs: [dy, w], output, attrs }) =>
    convFlops(convSizes(output.shape, w.shape, dy.shape, attrs.groups)),
});

const weightGradientOp = defineOp<WeightGradientAttrs>({
  name: "conv2dWeightGradient",
  type(inputs, attrs) {
    checkAttrs("conv2dWeightGradient", inputs, attrs);
    const [x, dy] = inputs;
    const shape = [attrs.kernel[0], attrs.kernel[1], x.shape[3] / attrs.groups, dy.shape[3]];
    checkCotangent("conv2dWeightGradient", x.shape, shape, dy.shape, attrs);
    return { shape, dtype: "f32" };
  },
  reference([x, dy], { inputs, output, attrs }) {
    const sizes = convSizes(inputs[0].shape, output.shape, inputs[1].shape, attrs.groups);
    const dw = new Float64Array(sizeOf(output.shape));
    eachProduct(sizes, attrs, (i, j, k) => dw[j] += x[i] * dy[k]);
    return dw;
  },
  beside(node, other, begin): Tensor | null {
    const [, dy] = node.inputs, channels = dy.shape[3];
    const attrs = node.attrs as WeightGradientAttrs;
    if (attrs.groups > 1 || channels % 4 !== 0 || begin % channels !== 0 || summedColumns(other) !== dy) {
      return null;
    }
    return applyInsteadOf(node, parameterGradientsOp, { ...attrs, biasRow: begin / channels });
  },
  lower: weightGradientVariants,
  flops: ({ inputs: [x, dy], output, attrs }) =>
    convFlops(convSizes(x.shape, output.shape, dy.shape, attrs.groups)),
});

/** Gradients of weights and bias in rows of Cout: (ky, kx, source channel), zeros up to `biasRow`, the bias. */
const parameterGradientsOp = defineOp<ConvParameterAttrs>({
  name: "conv2dParameterGradients",
  type([x, dy], attrs) {
    const { shape } = weightGradientOp.type([x, dy], attrs);
    const [rows, channels] = [sizeOf(shape) / shape[3], shape[3]];
    if (attrs.groups > 1 || channels % 4 !== 0 || !(attrs.biasRow >= rows)) {
      throw new RangeError(
        `conv2dParameterGradients: want groups 1, channels in fours and a row from ${rows} on for the bias, ` +
          `got groups ${attrs.groups}, ${channels} channels and row ${attrs.biasRow}`,
      );
    }
    return { shape: [attrs.biasRow + 1, channels], dtype: "f32" };
  },
  reference([x, dy], call) {
    const weights = weightGradientOf(call);
    return withColumnSums(weightGradientOp.reference([x, dy], weights), dy, call);
  },
  lower: convParameterVariants,
  flops: (call) => weightGradientOp.flops(weightGradientOf(call)) + sizeOf(call.inputs[1].shape),
});

export const conv2dOps = {
  conv2d: conv2dOp,
  conv2dInputGradient: inputGradientOp,
  conv2dWeightGradient: weightGradientOp,
  conv2dParameterGradients: parameterGradientsOp,
};

/**
 * 2-D convolution (cross-correlation): x [N, H, W, Cin], w [KH, KW, Cin / groups, Cout] → [N, OH, OW, Cout] with
 * OH = ⌊(H + 2 · padding − KH) / stride⌋ + 1. Padding is in pixels of zeros on every side. `groups` is 1, or Cin = Cout
 * for a depthwise convolution. There is no bias; add one.
 *
 * @throws {TypeError | RangeError} where shapes do not fit.
 */
export function conv2d(x: Tensor, w: Tensor, attrs: Partial<ConvAttrs> = {}): Tensor {
  return apply(conv2dOp, [x, w], { stride: 1, padding: 0, groups: 1, ...attrs });
}

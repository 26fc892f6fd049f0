import type { OpCase } from "./types.ts";

interface ConvShape {
  readonly batch?: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly out: number;
  readonly kernel?: readonly [number, number];
  readonly stride?: number;
  readonly padding?: number;
  readonly depthwise?: boolean;
}

/** The convolution and both of its gradients as cases of their own. */
function convCases(shape: ConvShape): OpCase[] {
  const { batch = 1, height, width, channels, out, kernel = [3, 3], stride = 1, padding = 0, depthwise } =
    shape;
  const groups = depthwise ? channels : 1;
  const outHeight = Math.floor((height + 2 * padding - kernel[0]) / stride) + 1;
  const outWidth = Math.floor((width + 2 * padding - kernel[1]) / stride) + 1;
  const x = { shape: [batch, height, width, channels] };
  const w = { shape: [...kernel, channels / groups, out] };
  const dy = { shape: [batch, outHeight, outWidth, out] };
  const taps = kernel[0] * kernel[1];
  const attrs = { stride, padding, groups };
  const name = `${batch}x${height}x${width}x${channels}→${out} k${kernel.join("x")} s${stride} p${padding}` +
    (depthwise ? " depthwise" : "");
  return [
    {
      name: `conv2d ${name}`,
      op: "conv2d",
      inputs: [x, w],
      attrs,
      terms: taps * channels / groups,
    },
    {
      name: `conv2dInputGradient ${name}`,
      op: "conv2dInputGradient",
      inputs: [dy, w],
      attrs: { ...attrs, input: [height, width] },
      terms: taps * out / groups,
    },
    {
      name: `conv2dWeightGradient ${name}`,
      op: "conv2dWeightGradient",
      inputs: [x, dy],
      attrs: { ...attrs, kernel },
      terms: batch * outHeight * outWidth,
    },
  ];
}

const shapes: readonly ConvShape[] = [
  { height: 1, width: 1, channels: 1, out: 1, kernel: [1, 1] },
  { batch: 2, height: 5, width: 6, channels: 3, out: 5, padding: 1 },
  // The first layer: three channels to a multiple of four.
  { batch: 2, height: 6, width: 5, channels: 3, out: 8, padding: 1 },
  { height: 7, width: 6, channels: 3, out: 4, stride: 2, padding: 1 },
  // Three wide, stride 1, channels in fours: with, without and with half the padding that keeps the size.
  { batch: 2, height: 5, width: 7, channels: 4, out: 8, padding: 1 },
  { height: 4, width: 4, channels: 8, out: 4, padding: 2 },
  { height: 5, width: 9, channels: 4, out: 4, padding: 0 },
  { height: 4, width: 5, channels: 4, out: 4, kernel: [2, 3], padding: 1 },
  { batch: 2, height: 3, width: 5, channels: 4, out: 4, padding: 3 },
  // Channels in eights; positions in odd numbers.
  { batch: 3, height: 7, width: 7, channels: 8, out: 16, padding: 1 },
  { batch: 2, height: 6, width: 7, channels: 16, out: 8, stride: 2, padding: 1 },
  // Other kernels and strides.
  { batch: 2, height: 4, width: 5, channels: 8, out: 4, kernel: [1, 1] },
  { height: 5, width: 5, channels: 4, out: 4, kernel: [1, 1], stride: 2 },
  { height: 7, width: 6, channels: 4, out: 8, kernel: [5, 5], padding: 2 },
  { batch: 2, height: 6, width: 7, channels: 4, out: 8, stride: 2, padding: 1 },
  { height: 8, width: 7, channels: 4, out: 4, stride: 3, padding: 1 },
  { height: 4, width: 4, channels: 5, out: 6, kernel: [3, 1], padding: 1 },
  // Depthwise.
  { batch: 2, height: 5, width: 4, channels: 3, out: 3, padding: 1, depthwise: true },
  { batch: 2, height: 6, width: 5, channels: 8, out: 8, padding: 1, depthwise: true },
  { height: 7, width: 7, channels: 4, out: 4, stride: 2, padding: 1, depthwise: true },
  { height: 7, width: 6, channels: 4, out: 4, kernel: [5, 5], padding: 2, depthwise: true },
];

/** Big enough for several tiles and chunks; their derivatives are those of the small ones. */
const bigShapes: readonly ConvShape[] = [
  { batch: 9, height: 16, width: 15, channels: 3, out: 4, padding: 1 },
  { batch: 2, height: 3, width: 19, channels: 4, out: 8, padding: 1 },
  { height: 7, width: 39, channels: 3, out: 4, kernel: [7, 7], stride: 2, padding: 3 },
  { height: 2, width: 21, channels: 1, out: 4, kernel: [1, 11], padding: 0 },
  { batch: 3, height: 9, width: 10, channels: 12, out: 36, padding: 1 },
  { batch: 2, height: 8, width: 9, channels: 36, out: 20, padding: 1 },
  { batch: 2, height: 9, width: 8, channels: 24, out: 40, padding: 1 },
  // Divided by tiles and slabs.
  { batch: 4, height: 4, width: 4, channels: 32, out: 32, padding: 1 },
  { batch: 12, height: 16, width: 16, channels: 4, out: 12, kernel: [1, 1] },
  { batch: 5, height: 12, width: 12, channels: 8, out: 8, padding: 1, depthwise: true },
];

export const conv2dCases: readonly OpCase[] = [
  ...shapes.flatMap(convCases),
  ...bigShapes.flatMap(convCases).map((c) => ({ ...c, checkGradient: false })),
];

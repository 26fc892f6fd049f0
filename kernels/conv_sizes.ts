import type { Shape } from "../src/util/shape.ts";

/** Static arguments of a 2-D convolution: symmetric padding in pixels; groups is 1, or the channel count (depthwise). */
export type ConvAttrs = { stride: number; padding: number; groups: number };

/** All sizes of a convolution, whichever of its three tensors is being computed. Spatial sizes are [height, width]. */
export interface ConvSizes {
  readonly batch: number;
  readonly input: readonly [number, number];
  readonly inChannels: number;
  readonly kernel: readonly [number, number];
  readonly output: readonly [number, number];
  readonly outChannels: number;
  readonly depthwise: boolean;
}

/** Sizes of y = conv2d(x, w) for x [N, H, W, Cin], w [KH, KW, Cin / groups, Cout] and y [N, OH, OW, Cout]. */
export function convSizes(x: Shape, w: Shape, y: Shape, groups: number): ConvSizes {
  return {
    batch: x[0],
    input: [x[1], x[2]],
    inChannels: x[3],
    kernel: [w[0], w[1]],
    output: [y[1], y[2]],
    outChannels: y[3],
    depthwise: groups > 1,
  };
}

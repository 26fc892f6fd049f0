import type { Tensor } from "../graph/tensor.ts";
import { conv2d } from "../ops/conv2d.ts";
import { add, mul } from "../ops/elementwise.ts";
import { matmul } from "../ops/matmul.ts";
import {
  batchNorm as normaliseBatch,
  batchStats,
  fixedNorm,
  groupNorm as normaliseGroups,
} from "../ops/norm.ts";
import { reshape, slice } from "../ops/shape.ts";
import { type Init, ONES, ZEROS } from "./init.ts";
import type { Scope } from "./scope.ts";

/** Sizes and steps of a convolution. */
export interface ConvOptions {
  /** Channels of the result. */
  readonly out: number;
  /** Side of the square kernel. */
  readonly kernel: number;
  /** Default 1. */
  readonly stride?: number;
  /** Zeros around the image; default keeps the size at stride 1. */
  readonly padding?: number;
  /** 1, or the number of channels for a depthwise convolution. Default 1. */
  readonly groups?: number;
  /** Default true; leave out before a norm. */
  readonly bias?: boolean;
  /** Default: for a layer before a ReLU. */
  readonly init?: Init;
}

/** Convolution [N, H, W, C] → [N, H', W', out]. */
export function conv(scope: Scope, name: string, x: Tensor, options: ConvOptions): Tensor {
  const { out, kernel, stride = 1, padding = (kernel - 1) / 2, groups = 1, bias = true } = options;
  const inner = scope.scope(name);
  const perGroup = x.shape[3] / groups;
  const init = options.init ?? { kind: "he", fanIn: kernel * kernel * perGroup };
  const weight = inner.parameter("weight", [kernel, kernel, perGroup, out], init, true);
  const y = conv2d(x, weight, { stride, padding, groups });
  return bias ? add(y, inner.parameter("bias", [out], ZEROS)) : y;
}

/** Dense layer [N, F] → [N, out]. */
export function dense(scope: Scope, name: string, x: Tensor, out: number, init?: Init): Tensor {
  const inner = scope.scope(name);
  const fanIn = x.shape[1];
  const weight = inner.parameter("weight", [fanIn, out], init ?? { kind: "he", fanIn }, true);
  return add(matmul(x, weight), inner.parameter("bias", [out], ZEROS));
}

/** Groups of a group norm: the most that divide the channels and leave each group at least `size` of them. */
export function normGroups(channels: number, size = 16): number {
  for (let groups = Math.floor(channels / size); groups > 1; groups--) {
    if (channels % groups === 0) return groups;
  }
  return 1;
}

/** Group norm (Wu & He 2018) with a scale and a shift per channel. */
export function groupNorm(scope: Scope, name: string, x: Tensor, groups?: number): Tensor {
  const inner = scope.scope(name);
  const channels = x.shape.at(-1)!;
  return normaliseGroups(
    x,
    inner.parameter("scale", [channels], ONES),
    inner.parameter("shift", [channels], ZEROS),
    {
      groups: groups ?? normGroups(channels),
      epsilon: 1e-5,
    },
  );
}

/** What a batch norm does besides normalising. */
export interface BatchNormOptions {
  /** Whether channels are scaled behind the norm; else by 1, for good. Default true. */
  readonly scaled?: boolean;
  /** How many times faster than other parameters the shift learns under SGD, at the same decay per step. Default 1. */
  readonly shiftRate?: number;
  /** Share of a new batch in the running averages. */
  readonly share?: number;
}

/**
 * Batch norm (Ioffe & Szegedy 2015) with a scale and a shift per channel: by the statistics of the batch, or, where the
 * scope says so, by the running averages of training. A shift with a rate r of its own is √r times its parameter: the
 * gradient of that grows by √r, and so does what a step of it does. It decays as weights do.
 */
export function batchNorm(scope: Scope, name: string, x: Tensor, options: BatchNormOptions = {}): Tensor {
  const { scaled = true, shiftRate = 1, share } = options;
  const inner = scope.scope(name);
  const channels = x.shape.at(-1)!;
  const scale = scaled
    ? inner.parameter("scale", [channels], ONES)
    : inner.constant("scale", [channels], ONES);
  const parameter = inner.parameter("shift", [channels], ZEROS, shiftRate !== 1);
  const shift = shiftRate === 1 ? parameter : mul(Math.sqrt(shiftRate), parameter);
  const stats = batchStats(x);
  const running = inner.running("statistics", stats, { kind: "standardMoments" }, share);
  if (scope.statistics === "batch") return normaliseBatch(x, scale, shift, { stats });
  const half = (k: number) => reshape(slice(running, [k, 0, 0], [1, 1, channels]), [channels]);
  return fixedNorm(x, half(0), half(1), scale, shift);
}

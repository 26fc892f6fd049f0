import {
  groupNormalizeVariants,
  groupNormInputGradientVariants,
  groupNormParameterGradientVariants,
  groupNormSumsVariants,
  groupStatsVariants,
  type Images,
  imagesOf,
  type NormAttrs,
  type StatsAttrs,
  type SumAttrs,
  sumsPitch,
} from "../../../kernels/norm.ts";
import { formatShape, sameShape, type Shape, sizeOf } from "../../util/shape.ts";
import type { TensorType } from "../gpu/kernel.ts";
import type { Values } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { defineOp } from "./define.ts";
import { add, div, mul, sqrt, sub } from "./elementwise.ts";
import { range, reshape } from "./shape.ts";

/** Checks x [N, …, C] of a normalisation and that C divides into the groups. */
function imagesFor(name: string, x: TensorType, groups: number): Images {
  if (x.dtype !== "f32" || x.shape.length < 2) {
    throw new TypeError(`${name}: want an f32 tensor [N, …, C], got ${x.dtype} ${formatShape(x.shape)}`);
  }
  const images = imagesOf(x.shape);
  if (!Number.isInteger(groups) || groups < 1 || images.c % groups !== 0) {
    throw new RangeError(
      `${name}: want groups that divide ${images.c} channels, got ${groups}; choose a divisor of ${images.c}`,
    );
  }
  return images;
}

function checkShape(name: string, what: string, got: Shape, want: Shape): void {
  if (!sameShape(got, want)) {
    throw new TypeError(`${name}: want ${what} ${formatShape(want)}, got ${formatShape(got)}`);
  }
}

/** Calls `visit` with the index of each element, its channel and the index of its statistics [N, G]. */
function forEachElement(
  { n, p, c }: Images,
  groups: number,
  visit: (i: number, channel: number, at: number, row: number) => void,
): void {
  for (let i = 0; i < n * p * c; i++) {
    const channel = i % c, example = Math.floor(i / (p * c));
    visit(i, channel, example * groups + Math.floor(channel / (c / groups)), example * c + channel);
  }
}

const groupStatsOp = defineOp<StatsAttrs>({
  name: "groupStats",
  type([x], { groups }) {
    const { n } = imagesFor("groupStats", x, groups);
    return { shape: [2, n, groups], dtype: "f32" };
  },
  reference([x], { inputs, attrs: { groups } }) {
    const images = imagesOf(inputs[0].shape);
    const half = images.n * groups, count = x.length / half;
    const stats = new Float64Array(2 * half);
    forEachElement(images, groups, (i, _, at) => stats[at] += x[i]);
    for (let at = 0; at < half; at++) stats[at] /= count;
    forEachElement(images, groups, (i, _, at) => stats[half + at] += (x[i] - stats[at]) ** 2 / count);
    return stats;
  },
  lower: groupStatsVariants,
  flops: (call) => 4 * sizeOf(call.inputs[0].shape),
});

/** x̂ of one element from the statistics [2, N, G]. */
const normalised = (x: number, stats: Values, at: number, epsilon: number) =>
  (x - stats[at]) / Math.sqrt(stats[stats.length / 2 + at] + epsilon);

const groupNormalizeOp = defineOp<NormAttrs>({
  name: "groupNormalize",
  storage: "inherited",
  type([x, stats, gamma, beta], { groups }) {
    const { n, c } = imagesFor("groupNormalize", x, groups);
    checkShape("groupNormalize", "statistics", stats.shape, [2, n, groups]);
    checkShape("groupNormalize", "gamma", gamma.shape, [c]);
    checkShape("groupNormalize", "beta", beta.shape, [c]);
    return { shape: x.shape, dtype: "f32" };
  },
  reference([x, stats, gamma, beta], { inputs, attrs: { groups, epsilon } }) {
    const y = new Float64Array(x.length);
    forEachElement(imagesOf(inputs[0].shape), groups, (i, c, at) => {
      y[i] = gamma[c] * normalised(x[i], stats, at, epsilon) + beta[c];
    });
    return y;
  },
  // The statistics are a function of x: dx is the total derivative, and nothing flows through `stats` on its own.
  gradient(dy, node) {
    const [x, stats, gamma] = node.inputs;
    const attrs = node.attrs as NormAttrs;
    const sums = apply(groupNormSumsOp, [dy, x, stats], attrs);
    return [
      apply(groupNormInputGradientOp, [dy, x, stats, gamma, sums], attrs),
      null,
      ...[0, 1].map((component) => parameterGradient(sums, component, gamma.shape[0])),
    ];
  },
  lower: groupNormalizeVariants,
  flops: (call) => 3 * sizeOf(call.output.shape),
});

/** [Σ_p dy·x̂, Σ_p dy] as [2, N, pitch]: all that the other gradients need from a pass over the activations. */
const groupNormSumsOp = defineOp<NormAttrs>({
  name: "groupNormSums",
  type([dy, x], { groups }) {
    const images = imagesFor("groupNormSums", x, groups);
    checkShape("groupNormSums", "dy", dy.shape, x.shape);
    return { shape: [2, images.n, sumsPitch(images)], dtype: "f32" };
  },
  reference([dy, x, stats], { inputs, attrs: { groups, epsilon } }) {
    const images = imagesOf(inputs[1].shape);
    const half = images.n * sumsPitch(images);
    const sums = new Float64Array(2 * half);
    forEachElement(images, groups, (i, _, at, row) => {
      sums[row] += dy[i] * normalised(x[i], stats, at, epsilon);
      sums[half + row] += dy[i];
    });
    return sums;
  },
  lower: groupNormSumsVariants,
  flops: (call) => 4 * sizeOf(call.inputs[0].shape),
});

const groupNormInputGradientOp = defineOp<NormAttrs>({
  name: "groupNormInputGradient",
  storage: "inherited",
  type: ([, x]) => ({ shape: x.shape, dtype: "f32" }),
  reference([dy, x, stats, gamma, sums], { inputs, attrs: { groups, epsilon } }) {
    const images = imagesOf(inputs[1].shape);
    const { n, c } = images;
    const half = n * groups, count = x.length / half;
    const plain = new Float64Array(half), scaled = new Float64Array(half);
    for (let row = 0; row < n * c; row++) {
      const at = Math.floor(row / (c / groups));
      scaled[at] += gamma[row % c] * sums[row];
      plain[at] += gamma[row % c] * sums[n * sumsPitch(images) + row];
    }
    const dx = new Float64Array(x.length);
    forEachElement(images, groups, (i, channel, at) => {
      const mean = (plain[at] + normalised(x[i], stats, at, epsilon) * scaled[at]) / count;
      dx[i] = (gamma[channel] * dy[i] - mean) / Math.sqrt(stats[half + at] + epsilon);
    });
    return dx;
  },
  lower: groupNormInputGradientVariants,
  flops: (call) => 5 * sizeOf(call.output.shape),
});

const groupNormParameterGradientOp = defineOp<SumAttrs>({
  name: "groupNormParameterGradient",
  type: ([sums]) => ({ shape: [sums.shape[2]], dtype: "f32" }),
  reference([sums], { inputs, attrs: { component } }) {
    const [, n, c] = inputs[0].shape;
    const result = new Float64Array(c);
    for (let row = 0; row < n * c; row++) result[row % c] += sums[component * n * c + row];
    return result;
  },
  lower: groupNormParameterGradientVariants,
  flops: (call) => sizeOf(call.inputs[0].shape) / 2,
});

/** Gradient of γ (component 0) or β (1): of a single example, no more than a place in the sums. */
function parameterGradient(sums: Tensor, component: number, channels: number): Tensor {
  const [, n, pitch] = sums.shape;
  if (n > 1) return apply(groupNormParameterGradientOp, [sums], { component });
  return range(sums, component * pitch, [channels]);
}

export const normOps = {
  groupStats: groupStatsOp,
  groupNormalize: groupNormalizeOp,
  groupNormSums: groupNormSumsOp,
  groupNormInputGradient: groupNormInputGradientOp,
  groupNormParameterGradient: groupNormParameterGradientOp,
};

/**
 * Group normalisation (Wu & He 2018) of x [N, …, C]: every example and group of C / groups channels has mean 0 and
 * variance 1 before γ [C] and β [C].
 *
 * @throws {RangeError} if `groups` does not divide C.
 */
export function groupNorm(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  { groups, epsilon = 1e-5 }: { groups: number; epsilon?: number },
): Tensor {
  const stats = apply(groupStatsOp, [x], { groups });
  return apply(groupNormalizeOp, [x, stats, gamma, beta], { groups, epsilon });
}

/** A batch as one example of all its positions: batch normalisation is then a group a channel. */
const asOneExample = (x: Tensor) => reshape(x, [1, -1, x.shape.at(-1)!]);

/** Mean and (biased) variance of each channel of x [N, …, C] over all the rest, as [2, 1, C]. */
export function batchStats(x: Tensor): Tensor {
  return apply(groupStatsOp, [asOneExample(x)], { groups: x.shape.at(-1)! });
}

/**
 * Batch normalisation (Ioffe & Szegedy 2015) of x [N, …, C] by the statistics of this batch. A caller that also keeps
 * running statistics passes the `stats` it computed by `batchStats(x)`; they must be of the same x, as the gradient
 * includes their dependence on it.
 */
export function batchNorm(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  { epsilon = 1e-5, stats = batchStats(x) }: { epsilon?: number; stats?: Tensor } = {},
): Tensor {
  const attrs = { groups: x.shape.at(-1)!, epsilon };
  return reshape(apply(groupNormalizeOp, [asOneExample(x), stats, gamma, beta], attrs), x.shape);
}

/** γ · (x − mean) / sqrt(variance + ε) + β with given statistics [C]: batch normalisation outside training. */
export function fixedNorm(
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  gamma: Tensor,
  beta: Tensor,
  { epsilon = 1e-5 }: { epsilon?: number } = {},
): Tensor {
  const scale = div(gamma, sqrt(add(variance, epsilon)));
  return add(mul(sub(x, mean), scale), beta);
}

import { sizeOf } from "../../util/shape.ts";
import type { Dataset } from "./dataset.ts";

/** What a batch is normalised by, per channel: (x - mean) / std. */
export interface ChannelStats {
  mean: number[];
  std: number[];
}

/**
 * Mean and standard deviation per channel (the last dimension) over the training examples named by `indices`, in float64.
 * Images count as u8 / 255, points as they are; a constant channel has std 1, so that it normalises to 0.
 */
export function channelStats({ shape, train: { data } }: Dataset, indices: ArrayLike<number>): ChannelStats {
  const size = sizeOf(shape), channels = shape[shape.length - 1];
  const unit = data instanceof Uint8Array ? 255 : 1;
  const sum = new Array<number>(channels).fill(0), squares = new Array<number>(channels).fill(0);
  // A channel at a time: hundreds of millions of numbers, whose sums stay in registers.
  for (let c = 0; c < channels; c++) {
    let total = 0, square = 0;
    for (let i = 0; i < indices.length; i++) {
      const end = (indices[i] + 1) * size;
      for (let at = indices[i] * size + c; at < end; at += channels) {
        const x = data[at];
        total += x;
        square += x * x;
      }
    }
    sum[c] = total;
    squares[c] = square;
  }
  const n = indices.length * size / channels;
  if (n === 0) throw new Error("normalisation: want at least 1 training example, got 0");
  const mean = sum.map((s) => s / n);
  const variance = squares.map((q, c) => Math.max(0, q / n - mean[c] * mean[c]));
  return { mean: mean.map((m) => m / unit), std: variance.map((v) => v > 0 ? Math.sqrt(v) / unit : 1) };
}

import { type ImagesAttrs, loadImagesVariants, normalisation } from "../../../kernels/batch.ts";
import { formatShape, sizeOf } from "../../util/shape.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { defineOp } from "./define.ts";
import { gather } from "./gather.ts";
import { randomBits } from "./random.ts";

const loadImagesOp = defineOp<ImagesAttrs>({
  name: "loadImages",
  storage: "half",
  type([images, indices, words], { height, width, channels, mean, std }) {
    if (images.dtype !== "u32" || indices.dtype !== "u32" || indices.shape.length !== 1) {
      throw new TypeError(
        `loadImages: want images packed in u32 and u32 indices [N], got ${images.dtype} and ${indices.dtype} ` +
          formatShape(indices.shape),
      );
    }
    if (channels > 4 || mean.length !== channels || std.length !== channels) {
      throw new RangeError(
        `loadImages: want 1 to 4 channels with a mean and a std each, got ${channels} channels, ` +
          `${mean.length} means and ${std.length} stds`,
      );
    }
    const [n] = indices.shape;
    if (words && (words.dtype !== "u32" || sizeOf(words.shape) !== 3 * n)) {
      throw new TypeError(`loadImages: want u32 random words [${n}, 3], got ${formatShape(words.shape)}`);
    }
    return { shape: [n, height, width, channels], dtype: "f32" };
  },
  reference([images, indices, words], { output, attrs }) {
    const { height, width, channels, crop, flip } = attrs;
    const { scale, shift } = normalisation(attrs);
    const y = new Float64Array(sizeOf(output.shape));
    for (let at = 0; at < y.length; at++) {
      const c = at % channels, pixel = Math.floor(at / channels);
      const n = Math.floor(pixel / (height * width));
      let i = Math.floor(pixel / width) % height, j = pixel % width;
      if (words) {
        i += words[3 * n] % (2 * crop + 1) - crop;
        j += words[3 * n + 1] % (2 * crop + 1) - crop;
        if (i < 0 || i >= height || j < 0 || j >= width) continue;
        if (flip && words[3 * n + 2] % 2 === 1) j = width - 1 - j;
      }
      const byte = ((indices[n] * height + i) * width + j) * channels + c;
      y[at] = ((images[byte >> 2] >> (8 * (byte % 4))) & 255) * scale[c] + shift[c];
    }
    return y;
  },
  lower: loadImagesVariants,
  flops: (call) => 2 * sizeOf(call.output.shape),
});

export const batchOps = { loadImages: loadImagesOp };

export interface LoadImagesOptions {
  readonly height: number;
  readonly width: number;
  /** At most 4. */
  readonly channels: number;
  /** Mean of each channel, of bytes divided by 255. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Largest random shift along each axis in pixels; zeros come in. Default 0. */
  readonly crop?: number;
  /** Mirror half of the images. Default false. */
  readonly flip?: boolean;
  /** Keeps this draw apart from others with the same key. Default 0. */
  readonly stream?: number;
}

/**
 * A batch of images [N, height, width, channels] from a data set on the device, each byte v as (v / 255 − mean) / std.
 *
 * @param dataset u32 words with four bytes each, first byte lowest; images follow one another as [height, width, channels].
 * @param indices u32 [N], which images.
 * @param key u32 [2], seed and step: shifts and mirroring depend on it, the stream and the position in the batch alone.
 */
export function loadImages(
  dataset: Tensor,
  indices: Tensor,
  key: Tensor,
  options: LoadImagesOptions,
): Tensor {
  const { crop = 0, flip = false, stream = 0, height, width, channels, mean, std } = options;
  const attrs: ImagesAttrs = { height, width, channels, mean, std, crop, flip };
  if (crop === 0 && !flip) return apply(loadImagesOp, [dataset, indices], attrs);
  const words = randomBits(key, { shape: [indices.shape[0], 3], stream });
  return apply(loadImagesOp, [dataset, indices, words], attrs);
}

/** Labels u32 [N] of the examples `indices` [N] from those of the whole data set [count]. */
export function loadLabels(labels: Tensor, indices: Tensor): Tensor {
  return gather(labels, indices);
}

/** Examples [N, …] of the rows `indices` [N] of a data set [count, …]. */
export function loadRows(dataset: Tensor, indices: Tensor): Tensor {
  return gather(dataset, indices);
}

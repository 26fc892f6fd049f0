import {
  type Fill,
  type Flip,
  type ImagesAttrs,
  loadImagesVariants,
  normalisation,
  type View,
} from "../../../kernels/batch.ts";
import { formatShape, sizeOf } from "../../util/shape.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { defineOp } from "./define.ts";
import { gather } from "./gather.ts";
import { randomBits } from "./random.ts";

/** PCG's output function (O'Neill 2014), as a hash of 32 bits. */
function hash(word: number): number {
  const state = (Math.imul(word, 747796405) + 2891336453) >>> 0;
  const mixed = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((mixed >>> 22) ^ mixed) >>> 0;
}

/** Whether an image is mirrored in an epoch: in every second one. */
const alternates = (seed: number, index: number, epoch: number) =>
  (hash((index ^ hash(seed)) >>> 0) + epoch) % 2 === 1;

/** Place `at` of a row of `size` pixels that goes on, mirrored, beyond its first and its last. */
const reflected = (at: number, size: number) => size - 1 - Math.abs(size - 1 - Math.abs(at));

const loadImagesOp = defineOp<ImagesAttrs>({
  name: "loadImages",
  storage: "half",
  type([images, indices, words, key], { height, width, channels, mean, std, crop, fill, view }) {
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
    if (words && (key?.dtype !== "u32" || sizeOf(key.shape) !== 2)) {
      throw new TypeError(`loadImages: want a u32 key [2], got ${key ? formatShape(key.shape) : "none"}`);
    }
    const moved = words && fill === "zeros" ? 0 : Math.max(crop, Math.abs(view[0]), Math.abs(view[1]));
    if (moved >= Math.min(height, width)) {
      throw new RangeError(
        `loadImages: want images of more than ${moved} pixels to be reflected, got ${
          formatShape([height, width])
        }`,
      );
    }
    return { shape: [n, height, width, channels], dtype: "f32" };
  },
  reference([images, indices, words, key], { output, attrs }) {
    const { height, width, channels, crop, fill, flip, epoch, view } = attrs;
    const { scale, shift } = normalisation(attrs);
    const y = new Float64Array(sizeOf(output.shape));
    for (let at = 0; at < y.length; at++) {
      const c = at % channels, pixel = Math.floor(at / channels);
      const n = Math.floor(pixel / (height * width));
      let i = Math.floor(pixel / width) % height, j = pixel % width;
      if (words) {
        i += words[3 * n] % (2 * crop + 1) - crop;
        j += words[3 * n + 1] % (2 * crop + 1) - crop;
        if (fill === "reflect") {
          i = reflected(i, height);
          j = reflected(j, width);
        }
        if (i < 0 || i >= height || j < 0 || j >= width) continue;
        const mirrored = flip === "alternating"
          ? alternates(key[0], indices[n], Math.floor((key[1] * indices.length + n) / epoch))
          : flip && words[3 * n + 2] % 2 === 1;
        if (mirrored) j = width - 1 - j;
      } else {
        i = reflected(i + view[0], height);
        j = reflected((view[2] ? width - 1 - j : j) + view[1], width);
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
  /** Largest random shift along each axis in pixels. Default 0. */
  readonly crop?: number;
  /** What comes in where an image is shifted. Default zeros, after normalisation. */
  readonly fill?: Fill;
  /** Mirror half of the images, drawn each time, or each in every second epoch. Default false. */
  readonly flip?: Flip;
  /** Examples of an epoch, for alternating flips: step s holds those from s · N on. */
  readonly epoch?: number;
  /** The same shift and mirroring for every image, where none is random. Default none. */
  readonly view?: View;
  /** Keeps this draw apart from others with the same key. Default 0. */
  readonly stream?: number;
}

const AS_IT_IS: View = [0, 0, 0];

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
  const { crop = 0, fill = "zeros", flip = false, epoch = 1, view = AS_IT_IS, stream = 0 } = options;
  const { height, width, channels, mean, std } = options;
  const attrs: ImagesAttrs = { height, width, channels, mean, std, crop, fill, flip, epoch, view };
  if (crop === 0 && !flip) return apply(loadImagesOp, [dataset, indices], attrs);
  const words = randomBits(key, { shape: [indices.shape[0], 3], stream });
  return apply(loadImagesOp, [dataset, indices, words, key], attrs);
}

/** Labels u32 [N] of the examples `indices` [N] from those of the whole data set [count]. */
export function loadLabels(labels: Tensor, indices: Tensor): Tensor {
  return gather(labels, indices);
}

/** Examples [N, …] of the rows `indices` [N] of a data set [count, …]. */
export function loadRows(dataset: Tensor, indices: Tensor): Tensor {
  return gather(dataset, indices);
}

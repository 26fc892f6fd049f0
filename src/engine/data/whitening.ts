import { eigenOfSymmetric } from "../../util/eigen.ts";
import { sizeOf } from "../../util/shape.ts";
import type { ChannelStats } from "./channel_stats.ts";

/** Images that filters are made for: bytes [count, H, W, C], normalised by `stats`. */
export interface WhiteningImages {
  readonly data: Uint8Array;
  readonly shape: readonly number[];
  readonly stats: ChannelStats;
}

/**
 * Filters [kernel, kernel, C, 2·kernel²·C] that make the patches of images uncorrelated and alike in variance (Jordan 2024,
 * section 3.1): the eigenvectors of the patches' second moments, each divided by √(eigenvalue + epsilon), largest first, and
 * then all of them negated.
 */
export function whiteningFilters(
  { data, shape, stats }: WhiteningImages,
  kernel: number,
  epsilon: number,
): Float32Array<ArrayBuffer> {
  const [height, width, channels] = shape;
  const size = kernel * kernel * channels;
  const scale = Float64Array.from({ length: size }, (_, k) => 1 / (255 * stats.std[k % channels]));
  const shift = scale.map((_, k) => -stats.mean[k % channels] / stats.std[k % channels]);
  /** Where each number of a patch lies, from its corner on. */
  const places = Uint32Array.from({ length: size }, (_, k) => {
    const pixel = Math.floor(k / channels);
    return (Math.floor(pixel / kernel) * width + pixel % kernel) * channels + k % channels;
  });
  const moments = new Float64Array(size * size), patch = new Float64Array(size);
  let patches = 0;
  for (let image = 0; image < data.length; image += sizeOf(shape)) {
    for (let i = 0; i + kernel <= height; i++) {
      for (let j = 0; j + kernel <= width; j++, patches++) {
        const corner = image + (i * width + j) * channels;
        for (let k = 0; k < size; k++) patch[k] = data[corner + places[k]] * scale[k] + shift[k];
        for (let a = 0; a < size; a++) {
          const value = patch[a], row = a * size;
          for (let b = 0; b <= a; b++) moments[row + b] += value * patch[b];
        }
      }
    }
  }
  const { values, vectors } = eigenOfSymmetric(
    Array.from(
      { length: size },
      (_, a) =>
        Array.from({ length: size }, (_, b) => moments[Math.max(a, b) * size + Math.min(a, b)] / patches),
    ),
  );
  const filters = new Float32Array(size * 2 * size);
  for (let k = 0; k < size; k++) {
    for (let at = 0; at < size; at++) {
      const weight = vectors[k][at] / Math.sqrt(values[k] + epsilon);
      filters[at * 2 * size + k] = weight;
      filters[at * 2 * size + size + k] = -weight;
    }
  }
  return filters;
}

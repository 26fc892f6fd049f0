import { UserError } from "../../util/errors.ts";
import { formatShape } from "../../util/shape.ts";
import type { Dataset, Examples } from "./dataset.ts";

/**
 * The data set with images averaged down to `side` x `side`: each u8 is the mean of a square block, halves rounded up.
 *
 * @throws where the examples are not square images or `side` does not divide theirs.
 */
export function poolImages(dataset: Dataset, side: number): Dataset {
  const [from, width, channels] = imageShape(dataset, "pixels");
  if (from !== width || !Number.isInteger(side) || side < 1 || from % side !== 0) {
    throw new UserError(
      `pixels: want a side that divides the ${formatShape([from, width])} images of ${dataset.name} ` +
        `(${divisors(from).join(", ")}), got ${side}`,
    );
  }
  if (side === from) return dataset;
  const pool = (examples: Examples) => poolExamples(examples, from, side, channels);
  return { ...dataset, shape: [side, side, channels], train: pool(dataset.train), test: pool(dataset.test) };
}

/**
 * The data set with images set in the middle of `side` x `side` zeros.
 *
 * @throws where the examples are not images or are larger than `side`.
 */
export function padImages(dataset: Dataset, side: number): Dataset {
  const [height, width, channels] = imageShape(dataset, "padding");
  if (side < height || side < width) {
    throw new UserError(
      `padding: want images of at most [${side}, ${side}], got ${formatShape([height, width])}`,
    );
  }
  const top = (side - height) >> 1, left = (side - width) >> 1;
  const pad = ({ count, data, labels }: Examples): Examples => {
    const padded = new Uint8Array(count * side * side * channels), row = width * channels;
    for (let image = 0; image < count; image++) {
      for (let y = 0; y < height; y++) {
        const at = (image * height + y) * row;
        padded.set(data.subarray(at, at + row), ((image * side + top + y) * side + left) * channels);
      }
    }
    return { count, data: padded, labels };
  };
  return { ...dataset, shape: [side, side, channels], train: pad(dataset.train), test: pad(dataset.test) };
}

function imageShape({ name, kind, shape }: Dataset, operation: string): number[] {
  if (kind !== "images") {
    throw new UserError(`${operation}: want images, got the points of ${name}; remove data.pixels`);
  }
  return shape;
}

function divisors(n: number): number[] {
  return Array.from({ length: n }, (_, i) => n - i).filter((side) => n % side === 0);
}

function poolExamples(
  { count, data, labels }: Examples,
  from: number,
  side: number,
  channels: number,
): Examples {
  const factor = from / side, area = factor * factor;
  const pooled = new Uint8Array(count * side * side * channels);
  let to = 0;
  for (let image = 0; image < count; image++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const corner = ((image * from + y * factor) * from + x * factor) * channels;
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let dy = 0; dy < factor; dy++) {
            for (let dx = 0; dx < factor; dx++) sum += data[corner + (dy * from + dx) * channels + c];
          }
          pooled[to++] = Math.floor(sum / area + 0.5);
        }
      }
    }
  }
  return { count, data: pooled, labels };
}

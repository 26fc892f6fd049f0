import { assert, assertEquals, assertThrows } from "@std/assert";
import { evaluate } from "../../../src/engine/compile/reference.ts";
import { resident, stepInput } from "../../../src/engine/graph/tensor.ts";
import { loadImages, loadLabels, loadRows } from "../../../src/engine/ops/batch.ts";
import { onEachDevice } from "../../support/devices.ts";
import { runGraph } from "../../support/run_graph.ts";
import { assertClose } from "../../support/close.ts";

const SIDE = 4;
const dataset = resident("images", [2 * SIDE * SIDE / 4], "u32");
const indices = stepInput("indices", [32], "u32"), key = stepInput("key", [2], "u32");
const options = { height: SIDE, width: SIDE, channels: 1, mean: [0], std: [1 / 255] };

/** Image 0 counts 1, 2 … 16, image 1 goes on to 32: no byte is 0, so zeros are padding. */
const bytes = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const feeds = (seed: number, step: number) => ({
  images: new Uint32Array(bytes.buffer),
  indices: Uint32Array.from({ length: 32 }, (_, i) => i % 2),
  key: Uint32Array.of(seed, step),
});

/** Where image `n` of the batch was shifted to and whether it was mirrored, by trying all; null if none fits. */
function explain(batch: ArrayLike<number>, n: number, crop: number) {
  for (const flipped of [false, true]) {
    for (let dy = -crop; dy <= crop; dy++) {
      for (let dx = -crop; dx <= crop; dx++) {
        const fits = Array.from({ length: SIDE * SIDE }, (_, at) => {
          const i = Math.floor(at / SIDE) + dy, j = at % SIDE + dx;
          const inside = i >= 0 && i < SIDE && j >= 0 && j < SIDE;
          const source = (n % 2) * SIDE * SIDE + i * SIDE + (flipped ? SIDE - 1 - j : j);
          return Math.abs(batch[n * SIDE * SIDE + at] - (inside ? bytes[source] : 0)) < 1e-4;
        });
        if (fits.every(Boolean)) return { dy, dx, flipped };
      }
    }
  }
  return null;
}

Deno.test("loadImages() without augmentation needs no random words and copies the bytes", () => {
  const batch = loadImages(dataset, indices, key, options);
  assertEquals(batch.inputs.length, 2);
  const [values] = evaluate([batch], feeds(1, 1));
  assertClose(values.slice(0, 32), Float64Array.from(bytes), { slack: 1, terms: 1 }, "bytes");
});

Deno.test("loadImages() shifts and mirrors whole images, every way there is", () => {
  const [batch] = evaluate(
    [loadImages(dataset, indices, key, { ...options, crop: 1, flip: true })],
    feeds(3, 5),
  );
  const found = Array.from({ length: 32 }, (_, n) => explain(batch, n, 1));
  assert(found.every((change) => change !== null), "each image is a shifted and perhaps mirrored original");
  for (const axis of ["dy", "dx"] as const) {
    assertEquals([...new Set(found.map((change) => change![axis]))].sort((a, b) => a - b), [-1, 0, 1]);
  }
  const mirrored = found.filter((change) => change!.flipped).length;
  assert(mirrored > 4 && mirrored < 28, `about half are mirrored, got ${mirrored} of 32`);
});

Deno.test("loadImages() with alternating flips mirrors each image in every second epoch", () => {
  const batch = loadImages(dataset, indices, key, { ...options, flip: "alternating", epoch: 32 });
  const mirrored = (seed: number, step: number) => {
    const every = Uint32Array.from({ length: 32 }, (_, n) => n % 2);
    const [values] = evaluate([batch], { ...feeds(seed, step), indices: every });
    return Array.from({ length: 32 }, (_, n) => explain(values, n, 0)!.flipped);
  };
  const first = mirrored(1, 0);
  assertEquals(mirrored(1, 1), first.map((flipped) => !flipped));
  assertEquals(mirrored(1, 2), first);
  const starts = Array.from({ length: 40 }, (_, seed) => mirrored(seed, 0)[0]);
  const half = starts.filter(Boolean).length;
  assert(half > 10 && half < 30, `the first epoch mirrors half, got ${half} of 40`);
});

Deno.test("loadImages() counts epochs across the middle of a batch", () => {
  const batch = loadImages(dataset, indices, key, { ...options, flip: "alternating", epoch: 16 });
  const [values] = evaluate([batch], feeds(1, 3));
  const flipped = Array.from({ length: 32 }, (_, n) => explain(values, n, 0)!.flipped);
  assertEquals(flipped.slice(16), flipped.slice(0, 16).map((was) => !was));
});

Deno.test("loadImages() fills what a shift leaves with the image mirrored at its edge", () => {
  const view = (down: number, right: number, mirrored: 0 | 1) =>
    [
      ...evaluate(
        [loadImages(dataset, indices, key, { ...options, view: [down, right, mirrored] })],
        feeds(1, 1),
      )[0],
    ].slice(0, 16).map(Math.round);
  assertEquals(view(1, -1, 0), [6, 5, 6, 7, 10, 9, 10, 11, 14, 13, 14, 15, 10, 9, 10, 11]);
  assertEquals(view(0, 0, 1), [4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9, 16, 15, 14, 13]);
  assertEquals(view(0, 1, 1).slice(0, 4), [3, 4, 3, 2]);
  const cropped = loadImages(dataset, indices, key, { ...options, crop: 2, fill: "reflect" });
  assert(evaluate([cropped], feeds(2, 2))[0].every((value) => value > 0.5), "no zeros come in");
});

onEachDevice("loadImages() draws by seed and step alone", async (gpu) => {
  const batch = loadImages(dataset, indices, key, { ...options, crop: 2, flip: true });
  const draw = async (
    seed: number,
    step: number,
  ) => [...(await runGraph(gpu, [batch], feeds(seed, step)))[0]];
  const first = await draw(1, 1);
  assertEquals(await draw(1, 1), first);
  assert(JSON.stringify(await draw(2, 1)) !== JSON.stringify(first));
  assert(JSON.stringify(await draw(1, 2)) !== JSON.stringify(first));
  assertClose(Float64Array.from(first), evaluate([batch], feeds(1, 1))[0], { slack: 4, terms: 1 }, "batch");
});

Deno.test("loadLabels() and loadRows() take what the indices name", () => {
  const labels = resident("labels", [3], "u32"), rows = resident("rows", [3, 2], "f32");
  const pick = stepInput("pick", [2], "u32");
  const [y, x] = evaluate([loadLabels(labels, pick), loadRows(rows, pick)], {
    labels: [7, 8, 9],
    rows: [1, 2, 3, 4, 5, 6],
    pick: [2, 0],
  });
  assertEquals([...y], [9, 7]);
  assertEquals([...x], [5, 6, 1, 2]);
});

Deno.test("loadImages() names what does not fit", () => {
  assertThrows(
    () => loadImages(dataset, indices, key, { ...options, mean: [0, 0] }),
    RangeError,
    "loadImages: want 1 to 4 channels with a mean and a std each, got 1 channels, 2 means and 1 stds",
  );
  assertThrows(
    () => loadImages(dataset, indices, key, { ...options, crop: 4, fill: "reflect" }),
    RangeError,
    "loadImages: want images of more than 4 pixels to be reflected, got [4, 4]",
  );
});

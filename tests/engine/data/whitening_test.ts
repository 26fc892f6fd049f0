import { assert, assertEquals } from "@std/assert";
import { evaluate } from "../../../src/engine/compile/reference.ts";
import { channelStats } from "../../../src/engine/data/channel_stats.ts";
import { whiteningFilters, type WhiteningImages } from "../../../src/engine/data/whitening.ts";
import { resident } from "../../../src/engine/graph/tensor.ts";
import { conv2d } from "../../../src/engine/ops/conv2d.ts";
import { prng } from "../../../src/util/prng.ts";

const COUNT = 40, SIDE = 8, CHANNELS = 2, SIZE = 2 * 2 * CHANNELS;

/** Images whose neighbours, and whose channels, are alike. */
function images(): WhiteningImages {
  const { uniform } = prng(1, "whitening");
  const shape = [SIDE, SIDE, CHANNELS];
  const data = new Uint8Array(COUNT * SIDE * SIDE * CHANNELS);
  let level = 128;
  for (let i = 0; i < data.length; i++) {
    level = Math.min(255, Math.max(0, level + 60 * (uniform() - 0.5)));
    data[i] = level;
  }
  const labels = new Uint8Array(COUNT), examples = { count: COUNT, data, labels };
  const dataset = { name: "", sha256: "", kind: "images" as const, classes: ["a"], test: examples };
  return {
    data,
    shape,
    stats: channelStats({ ...dataset, shape, train: examples }, labels.keys().toArray()),
  };
}

Deno.test("whiteningFilters() make the patches of the images uncorrelated, with variance λ / (λ + ε)", () => {
  const sample = images(), epsilon = 5e-4;
  const filters = whiteningFilters(sample, 2, epsilon);
  const x = Float64Array.from(sample.data, (byte, i) => {
    const c = i % CHANNELS;
    return (byte / 255 - sample.stats.mean[c]) / sample.stats.std[c];
  });
  const [y] = evaluate([
    conv2d(
      resident("x", [COUNT, SIDE, SIDE, CHANNELS], "f32"),
      resident("w", [2, 2, CHANNELS, 2 * SIZE], "f32"),
    ),
  ], { x, w: filters });
  const patches = y.length / (2 * SIZE);
  for (let a = 0; a < SIZE; a++) {
    for (let b = 0; b <= a; b++) {
      let moment = 0;
      for (let p = 0; p < patches; p++) moment += y[p * 2 * SIZE + a] * y[p * 2 * SIZE + b] / patches;
      if (a === b) assert(moment < 1 + 1e-5 && moment > 0.9, `variance of filter ${a}: got ${moment}`);
      else assert(Math.abs(moment) < 1e-5, `filters ${a} and ${b}: got ${moment}`);
    }
  }
  for (let at = 0; at < SIZE; at++) {
    const row = [...filters.subarray(at * 2 * SIZE, (at + 1) * 2 * SIZE)];
    assertEquals(row.slice(SIZE), row.slice(0, SIZE).map((weight) => -weight));
  }
});

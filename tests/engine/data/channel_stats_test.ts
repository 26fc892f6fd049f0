import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { channelStats } from "../../../src/engine/data/channel_stats.ts";
import type { Dataset } from "../../../src/engine/data/dataset.ts";

const none = { count: 0, data: new Uint8Array(), labels: new Uint8Array() };

Deno.test("channelStats() is per channel, over the named images, in units of full white", () => {
  const data = Uint8Array.of(0, 51, 255, 51, 99, 99, 99, 99, 0, 51, 255, 51);
  const dataset: Dataset = {
    name: "made",
    sha256: "",
    kind: "images",
    shape: [2, 1, 2],
    classes: ["a"],
    train: { count: 3, data, labels: new Uint8Array(3) },
    test: none,
  };
  const { mean, std } = channelStats(dataset, [0, 2]);
  assertAlmostEquals(mean[0], 0.5, 1e-12);
  assertAlmostEquals(mean[1], 0.2, 1e-12);
  assertAlmostEquals(std[0], 0.5, 1e-12);
  assertEquals(std[1], 1); // constant
  assertThrows(
    () => channelStats(dataset, []),
    Error,
    "normalisation: want at least 1 training example, got 0",
  );
});

Deno.test("channelStats() takes points as they are", () => {
  const data = Float32Array.of(1, -4, 3, 4);
  const dataset: Dataset = {
    name: "made",
    sha256: "",
    kind: "points",
    shape: [2],
    classes: ["a"],
    train: { count: 2, data, labels: new Uint8Array(2) },
    test: none,
  };
  assertEquals(channelStats(dataset, [0, 1]), { mean: [2, 0], std: [1, 4] });
});

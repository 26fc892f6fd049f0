/** Exported networks in another runtime: onnxruntime-web, on the CPU. */
import { assert, assertThrows } from "@std/assert";
import * as ort from "onnxruntime-web";
import type { BuiltHost } from "../../../src/contracts/config.ts";
import { channelStats } from "../../../src/engine/data/channel_stats.ts";
import { loadDigits } from "../../../src/engine/data/digits.ts";
import { poolImages } from "../../../src/engine/data/pixels.ts";
import { writeOnnx } from "../../../src/engine/io/onnx.ts";
import type { Model } from "../../../src/engine/nn/scope.ts";
import { sub } from "../../../src/engine/ops/elementwise.ts";
import { softmax } from "../../../src/engine/ops/loss.ts";
import { mean } from "../../../src/engine/ops/reduce.ts";
import { dense } from "../../../src/engine/nn/layers.ts";
import { openShared } from "../../support/devices.ts";
import { grownNetwork, logitsOf, trainedLike } from "../../support/exported.ts";
import { numbers } from "../../support/store.ts";

ort.env.wasm.numThreads = 1;

const PRODUCER = { name: "esper", version: "test" };

/** Runs a file in onnxruntime-web. */
async function run(
  bytes: Uint8Array,
  input: string,
  x: Float32Array,
  dims: readonly number[],
): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  try {
    const { logits } = await session.run({ [input]: new ort.Tensor("float32", x, dims) });
    return logits.data as Float32Array;
  } finally {
    await session.release();
  }
}

function assertAgree(got: Float32Array, want: Float32Array): void {
  assert(got.length === want.length && want.every(Number.isFinite));
  const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - want[i])), 0);
  assert(worst <= 1e-4, `logits differ by ${worst}`);
}

/** The network that is nothing but one layer: its run makes onnxruntime load what it keeps. */
const plain: Model = {
  name: "plain",
  input: [1],
  classes: 1,
  forward: (scope, x) => dense(scope, "head", x, 1),
};
await run(
  writeOnnx(plain, { values: { "head/weight": [1], "head/bias": [0] }, producer: PRODUCER }),
  "input",
  new Float32Array(1),
  [1, 1],
);

const COUNT = 256, SIDE = 14;
const digits = poolImages(await loadDigits(), SIDE);
const stats = channelStats(digits, Uint32Array.from({ length: 1000 }, (_, i) => i));

const HOSTS: Record<string, { host: BuiltHost; fossils: readonly (readonly [string, string])[] }> = {
  "cnn with group norm": {
    host: { kind: "cnn", channels: [8, 16], norm: "group", groupSize: 4 },
    fossils: [["block1", "conv3"], ["block1", "se"], ["block2", "bottleneck"], ["block2", "affine"], [
      "block2",
      "lowrank",
    ]],
  },
  "cnn with batch norm": {
    host: { kind: "cnn", channels: [8, 16], norm: "batch", groupSize: 16 },
    fossils: [["block1", "dwsep"], ["block2", "basic"]],
  },
  "resnet": {
    host: { kind: "resnet", width: 4, blocks: [1, 1], norm: "batch", groupSize: 16 },
    fossils: [["stem", "pointwise"], ["block1", "conv3"], ["block2", "se"], ["block2", "dwsep"]],
  },
};

for (const [what, { host, fossils }] of Object.entries(HOSTS)) {
  Deno.test(`writeOnnx() of a ${what} and fossils: onnxruntime and the engine agree to 1e-4 on 256 digits`, async () => {
    const network = grownNetwork(host, {
      shape: [SIDE, SIDE, 1],
      classes: digits.classes,
      normalisation: stats,
    }, fossils);
    const pixels = Float32Array.from(digits.test.data.subarray(0, COUNT * SIDE * SIDE), (byte) => byte / 255);
    const values = Object.fromEntries(
      Object.entries(network.tensors).map(([name, { data }]) => [name, data as Float32Array]),
    );
    const bytes = writeOnnx(network.model, { values, normalisation: stats, producer: PRODUCER });
    // One channel: NHWC and NCHW are the same numbers.
    const got = await run(bytes, "images", pixels, [COUNT, 1, SIDE, SIDE]);
    const x = pixels.map((value) => (value - stats.mean[0]) / stats.std[0]);
    assertAgree(got, await logitsOf((await openShared("native"))!, network, x, COUNT));
  });
}

Deno.test("writeOnnx() takes colours as planes, and any number of images", async () => {
  const input = {
    shape: [6, 4, 3],
    classes: ["a", "b"],
    normalisation: { mean: [0.1, 0.5, 0.9], std: [0.5, 0.3, 0.2] },
  };
  const network = grownNetwork({ kind: "cnn", channels: [4], norm: "batch", groupSize: 16 }, input, [[
    "block1",
    "se",
  ]]);
  const values = Object.fromEntries(
    Object.entries(network.tensors).map(([name, { data }]) => [name, data as Float32Array]),
  );
  const bytes = writeOnnx(network.model, { values, normalisation: input.normalisation, producer: PRODUCER });
  for (const count of [1, 5]) {
    const planes = numbers("planes", count * 72).map((value) => 0.5 + value / 3);
    const x = new Float32Array(count * 72);
    for (let i = 0; i < x.length; i++) {
      const c = i % 3, place = Math.floor(i / 3) % 24, n = Math.floor(i / 72);
      x[i] = (planes[n * 72 + c * 24 + place] - input.normalisation.mean[c]) / input.normalisation.std[c];
    }
    const got = await run(bytes, "images", planes, [count, 3, 6, 4]);
    assertAgree(got, await logitsOf((await openShared("native"))!, network, x, count));
  }
});

Deno.test("writeOnnx() of a dense host and fossils agrees on points", async () => {
  const input = { shape: [2], classes: ["a", "b", "c"], normalisation: null };
  const fossils = [["layer1", "mlp"], ["layer2", "affine"], ["layer2", "lowrank"]] as const;
  const network = grownNetwork({ kind: "mlp", hidden: [8, 8] }, input, fossils);
  const values = Object.fromEntries(
    Object.entries(network.tensors).map(([name, { data }]) => [name, data as Float32Array]),
  );
  const bytes = writeOnnx(network.model, { values, producer: PRODUCER });
  const x = numbers("points", 2 * COUNT);
  assertAgree(
    await run(bytes, "input", x, [COUNT, 2]),
    await logitsOf((await openShared("native"))!, network, x, COUNT),
  );
});

Deno.test("writeOnnx() says what it cannot translate", () => {
  const model = (forward: Model["forward"]): Model => ({
    name: "odd",
    input: [4, 4, 2],
    classes: 2,
    forward,
  });
  const said = (forward: Model["forward"]) => {
    const odd = model(forward);
    const values = Object.fromEntries(
      Object.entries(trainedLike(odd)).map(([name, { data }]) => [name, data as Float32Array]),
    );
    return assertThrows(() => writeOnnx(odd, { values, producer: PRODUCER }), TypeError).message;
  };
  const head: Model["forward"] = (scope, x) => dense(scope, "head", mean(x, [1, 2]), 2);
  assert(
    said((scope, x) => softmax(head(scope, x))).startsWith(
      "onnx: want ops that have a translation, got softmax f32 [3, 2]",
    ),
  );
  const centred: Model["forward"] = (scope, x) => sub(head(scope, x), mean(head(scope, x), [0], true));
  assert(said(centred).startsWith("onnx: want sums within examples, got one over axes 0 of "));
});

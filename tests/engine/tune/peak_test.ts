import { assert, assertAlmostEquals, assertStrictEquals } from "@std/assert";
import { lowerCopy, lowerFma } from "../../../kernels/probe.ts";
import { readFloats } from "../../../src/engine/gpu/readback.ts";
import { bind, replay } from "../../../src/engine/gpu/recorder.ts";
import { peakOf, shareOfPeak } from "../../../src/engine/tune/peak.ts";
import { onEachDevice } from "../../support/devices.ts";

onEachDevice("peakOf() measures a device once, and keeps no memory", async (gpu) => {
  const before = gpu.allocator.liveBytes;
  const peak = await peakOf(gpu);
  assert(peak.flops > 1e8 && peak.flops < 1e16, `${peak.flops} FLOP/s`);
  assert(peak.bytes > 1e7 && peak.bytes < 1e14, `${peak.bytes} B/s`);
  assertStrictEquals(await peakOf(gpu), peak);
  assertStrictEquals(gpu.allocator.liveBytes, before);
});

onEachDevice("the probes do the work that they are timed for", async (gpu) => {
  const { dispatch, bytes } = lowerCopy(40_000);
  const numbers = Float32Array.from({ length: bytes / 8 }, (_, i) => i);
  const source = gpu.allocator.upload("source", numbers);
  const target = gpu.allocator.storage("target", numbers.byteLength);
  replay(gpu, [await bind(gpu, dispatch, [source, target])]);
  const copied = await readFloats(gpu, target, numbers.length);
  assert(copied.every((value, i) => value === i));

  const fma = lowerFma(1, 2);
  const sums = gpu.allocator.storage("sums", fma.bytes);
  replay(gpu, [await bind(gpu, fma.dispatch, [sums])]);
  const [first] = await readFloats(gpu, sums, 1);
  // Eight chains of 2 · 4 links from 0, 1, 2, … 7: x ← 0.999 x + 0.001, four lanes alike.
  let want = 0;
  for (let chain = 0; chain < 8; chain++) {
    let x = chain;
    for (let link = 0; link < 8; link++) x = 0.999 * x + 0.001;
    want += 4 * x;
  }
  assertAlmostEquals(first, want, 1e-3);
  for (const view of [source, target, sums]) gpu.allocator.free(view);
});

Deno.test("shareOfPeak() is that of the scarcer of the two", () => {
  const peak = { flops: 100, bytes: 10 };
  assertStrictEquals(shareOfPeak({ flops: 50, bytes: 1, seconds: 1 }, peak), 0.5);
  assertStrictEquals(shareOfPeak({ flops: 50, bytes: 9, seconds: 1 }, peak), 0.9);
});

import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { compile } from "../../../src/engine/compile/program.ts";
import type { Gpu } from "../../../src/engine/gpu/device.ts";
import { GpuError } from "../../../src/engine/gpu/errors.ts";
import { median, profile, spansOf, timePasses } from "../../../src/engine/gpu/profile.ts";
import { readFloats } from "../../../src/engine/gpu/readback.ts";
import { replay } from "../../../src/engine/gpu/recorder.ts";
import { resident } from "../../../src/engine/graph/tensor.ts";
import { add, mul } from "../../../src/engine/ops/elementwise.ts";
import { matmul } from "../../../src/engine/ops/matmul.ts";
import { onEachDevice } from "../../support/devices.ts";
import { testRandom } from "../../support/values.ts";

const SIDE = 64;

/** A program that changes what it reads at each run: x ← x·w + x. */
async function selfChanging(gpu: Gpu) {
  const random = testRandom("profile");
  const values = () => Float32Array.from({ length: SIDE * SIDE }, () => random() / SIDE);
  const x = gpu.allocator.upload("x", values()), w = gpu.allocator.upload("w", values());
  const tensor = resident("x", [SIDE, SIDE], "f32");
  const next = add(mul(matmul(tensor, resident("w", [SIDE, SIDE], "f32")), 2), tensor);
  const program = await compile(gpu, {
    label: "self-changing",
    writes: [{ tensor: next, into: x }],
    memory: ({ name }) => name === "x" ? x : w,
  });
  const destroy = () => {
    program.destroy();
    for (const view of [x, w]) gpu.allocator.free(view);
  };
  return { program, x, destroy };
}

onEachDevice("profile() times every dispatch and knows its work", async (gpu) => {
  const { program, destroy } = await selfChanging(gpu);
  const before = gpu.allocator.liveBytes;
  const found = await profile(gpu, program.dispatches, { scratch: program.owned, warmSeconds: 0 });
  assertEquals(gpu.allocator.liveBytes, before);
  assertEquals(found.dispatches.map(({ name }) => name), program.dispatches.map(({ name }) => name));
  const product = found.dispatches.find(({ name }) => name.startsWith("matmul/"))!;
  assertStringIncludes(product.what, "[64, 64] [64, 64]");
  assert(product.flops >= 2 * SIDE ** 3 && product.bytes >= 3 * 4 * SIDE ** 2);
  assertEquals(found.dispatches.reduce((total, { flops }) => total + flops, 0), program.flops);
  for (const { seconds } of found.dispatches) assert(seconds > 0 && seconds < 1, `${seconds}`);
  assertEquals(found.spans.length, program.dispatches.length);
  let done = 0;
  for (const { begin, end } of found.spans) {
    assert(begin >= done && end >= begin);
    done = end;
  }
  const sum = found.dispatches.reduce((total, { seconds }) => total + seconds, 0);
  assertAlmostEquals(found.kernelSeconds, sum, 1e-12);
  assert(found.wallSeconds > 0 && found.encodeSeconds > 0 && found.submitSeconds > 0 && found.repeats >= 5);
  destroy();
});

onEachDevice("profile() leaves all memory as it was", async (gpu) => {
  const bits = async (profiled: boolean) => {
    const { program, x, destroy } = await selfChanging(gpu);
    for (let step = 0; step < 4; step++) {
      replay(gpu, program.dispatches);
      if (profiled && step % 2 === 0) {
        await profile(gpu, program.dispatches, { scratch: program.owned, warmSeconds: 0, repeats: 2 });
      }
    }
    const values = await readFloats(gpu, x, SIDE * SIDE);
    destroy();
    return values;
  };
  assertEquals(await bits(true), await bits(false));
});

onEachDevice("timePasses() counts on where a query set is full", async (gpu) => {
  const { program, destroy } = await selfChanging(gpu);
  const passes = Array.from({ length: 2100 }, () => program.dispatches.slice(0, 1));
  const spans = await timePasses(gpu, passes);
  assertEquals(spans.length, 2100);
  assert(spans.every(({ begin, end }, k) => end >= begin && begin >= (spans[k - 1]?.end ?? 0)));
  assert(spans.at(-1)!.end > spans[2047].end);
  destroy();
});

onEachDevice("profile() says that the adapter has no timestamps", async (gpu) => {
  const without: Gpu = { ...gpu, device: { ...gpu.device, features: new Set() } as unknown as GPUDevice };
  const { description, backend } = gpu.adapter;
  await assertRejects(
    () => profile(without, []),
    GpuError,
    `profile: want an adapter with the feature timestamp-query, got ${description} (${backend}) without it; ` +
      "use another --backend or a newer driver",
  );
});

Deno.test("spansOf() takes a pass that begins before the one ahead of it has ended as beginning there", () => {
  const spans = spansOf(BigUint64Array.of(1000n, 3000n, 2000n, 6000n, 7000n, 7000n, 0n, 0n));
  const want = [[0, 2e-6], [2e-6, 5e-6], [6e-6, 6e-6], [6e-6, 6e-6]];
  for (const [k, { begin, end }] of spans.entries()) {
    assertAlmostEquals(begin, want[k][0], 1e-12);
    assertAlmostEquals(end, want[k][1], 1e-12);
  }
});

Deno.test("median() is the middle value", () => {
  assertEquals([median([3, 1, 2]), median([4, 1, 2, 3]), median([5])], [2, 2.5, 5]);
});

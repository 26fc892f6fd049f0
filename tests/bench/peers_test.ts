/** The side of `bench/peers.ts` that is this engine's; the others are not run in tests. */
import { assert, assertEquals } from "@std/assert";
import { compileStep } from "../../bench/peers/esper_step.ts";
import { LOSSES, permute, stepFlops } from "../../bench/peers/spec.ts";
import { onEachDevice } from "../support/devices.ts";

onEachDevice(
  "The common training step has the losses that PyTorch and the other engines have",
  async (gpu) => {
    const before = gpu.allocator.liveBytes;
    const step = await compileStep(gpu);
    for (const want of LOSSES.slice(0, 3)) {
      const loss = await step.run();
      assert(Math.abs(loss - want) < 2e-5, `want ${want}, got ${loss}`);
    }
    step.destroy();
    assertEquals(gpu.allocator.liveBytes, before, "live bytes at the end");
  },
);

Deno.test("stepFlops() leaves out the gradient for the images", () => {
  assertEquals((stepFlops() / 1e9).toFixed(3), "5.678");
});

Deno.test("permute() moves the axes of a row-major array", () => {
  assertEquals([...permute(Float32Array.of(0, 1, 2, 3, 4, 5), [2, 3], [1, 0])], [0, 3, 1, 4, 2, 5]);
  const cube = Float32Array.from({ length: 24 }, (_, i) => i);
  assertEquals([...permute(cube, [2, 3, 4], [1, 2, 0])].slice(0, 4), [0, 12, 1, 13]);
});

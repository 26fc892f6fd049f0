import { assertEquals } from "@std/assert";
import { openGpu } from "../../src/app/adapters/open_gpu.ts";

Deno.test("openGpu() opens Deno's own WebGPU where asked for it", async () => {
  const gpu = await openGpu("native");
  assertEquals(gpu.adapter.backend, "native");
  assertEquals(gpu.allocator.liveBytes, 0);
  gpu.destroy();
});

Deno.test("openGpu() left to choose takes no other implementation on a software adapter", async () => {
  const gpu = await openGpu("auto");
  if (gpu.adapter.software) assertEquals(gpu.adapter.backend, "native");
  gpu.destroy();
});

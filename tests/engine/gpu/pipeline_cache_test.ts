import { assertEquals } from "@std/assert";
import { PipelineCache } from "../../../src/engine/gpu/pipeline_cache.ts";
import { onEachDevice } from "../../support/devices.ts";

const source = `override N: u32 = 1u;
@group(0) @binding(0) var<storage, read_write> result: array<f32>;
@compute @workgroup_size(1) fn main() { result[0] = f32(N); }
`;
const dispatch = (n: number) => ({
  name: "test/fill",
  source,
  constants: { N: n },
  operands: ["output" as const],
  workgroups: [1, 1, 1] as const,
});

/** A device that notes when it is given WGSL. */
function noting(device: GPUDevice, note: () => void): GPUDevice {
  return new Proxy(device, {
    get(target, key) {
      const value = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (key === "createShaderModule") note();
        return value.apply(target, args);
      };
    },
  });
}

onEachDevice(
  "PipelineCache compiles a text once, whoever asks for it and however it came about",
  async ({ device }) => {
    let modules = 0;
    const cache = new PipelineCache(noting(device, () => modules++));
    const [first, same] = await Promise.all([
      cache.get(dispatch(2)),
      cache.get({ ...dispatch(2), name: "test/other" }),
    ]);
    const literal = { ...dispatch(2), source: source.replace("N: u32 = 1u", "N: u32 = 2u"), constants: {} };
    assertEquals([same === first, await cache.get(literal) === first], [true, true]);
    assertEquals(await cache.get(dispatch(3)) === first, false);
    assertEquals([modules, cache.size], [2, 2]);
  },
);

onEachDevice("PipelineCache reads one kernel's WGSL in a turn of the event loop", async ({ device }) => {
  let modules = 0, most = 0, done = false;
  const cache = new PipelineCache(noting(device, () => modules++));
  const all = Promise.all([4, 5, 6, 7].map((n) => cache.get(dispatch(n)))).then(() => done = true);
  assertEquals(modules, 0);
  while (!done) {
    const before = modules;
    await new Promise((resolve) => setTimeout(resolve));
    most = Math.max(most, modules - before);
  }
  await all;
  assertEquals([modules, most], [4, 1]);
});

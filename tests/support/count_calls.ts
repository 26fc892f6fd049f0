import { Allocator } from "../../src/engine/gpu/allocator.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { PipelineCache } from "../../src/engine/gpu/pipeline_cache.ts";

/** Calls by method: `createBuffer`, `queue.submit`, `encoder.beginComputePass` … */
export type Calls = Record<string, number>;

// deno-lint-ignore no-explicit-any
type Methods = Record<PropertyKey, any>;

/** The same device, with every method call on it, its queue and its encoders counted in `calls`. */
export function countingCalls(gpu: Gpu): { gpu: Gpu; calls: Calls } {
  const calls: Calls = {};
  const wrap = (target: Methods, prefix: string): Methods =>
    new Proxy(target, {
      get(_, key) {
        const value = target[key];
        if (key === "queue") return wrap(value, "queue.");
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          const name = `${prefix}${String(key)}`;
          calls[name] = (calls[name] ?? 0) + 1;
          const result = value.apply(target, args);
          return key === "createCommandEncoder" ? wrap(result, "encoder.") : result;
        };
      },
    });
  const device = wrap(gpu.device, "") as unknown as GPUDevice;
  const counted = {
    ...gpu,
    device,
    allocator: new Allocator(device),
    pipelines: new PipelineCache(device),
  };
  return { gpu: counted, calls };
}

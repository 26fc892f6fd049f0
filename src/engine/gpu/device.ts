import { Allocator } from "./allocator.ts";
import { GpuError } from "./errors.ts";
import type { DeviceTraits } from "./kernel.ts";
import { PipelineCache } from "./pipeline_cache.ts";

/** Where a WebGPU implementation comes from. */
export type BackendName = "native" | "dawn" | "browser";

/** What a run records of its device. */
export interface AdapterDescription {
  /** Which implementation. */
  readonly backend: BackendName;
  /** As WebGPU's `GPUAdapterInfo` says; may be empty. */
  readonly vendor: string;
  /** As `GPUAdapterInfo` says; may be empty. */
  readonly architecture: string;
  /** As `GPUAdapterInfo` says; may be empty. */
  readonly device: string;
  /** The adapter's name, for people. */
  readonly description: string;
  /** Whether a CPU does the work. */
  readonly software: boolean;
  /** WebGPU features that are on. */
  readonly features: readonly string[];
}

/** One WebGPU device with everything the engine keeps for it. */
export interface Gpu {
  /** WebGPU's own. */
  readonly device: GPUDevice;
  /** What it is. */
  readonly adapter: AdapterDescription;
  /** What kernels are chosen by. */
  readonly traits: DeviceTraits;
  /** Makes and frees all of its buffers. */
  readonly allocator: Allocator;
  /** Its compiled kernels. */
  readonly pipelines: PipelineCache;
  /** Throws the first error that the device reported since the last call. */
  check(): void;
  /**
   * Why the device was lost, but not by `destroy`; null while it is there. What a loss breaks may be met before word of
   * the loss itself, so this waits a moment: ask it when something has gone wrong.
   */
  lossReason(): Promise<string | null>;
  /** Frees all buffers and the device. */
  destroy(): void;
}

const WANTED_FEATURES: readonly string[] = [
  "timestamp-query",
  "shader-f16",
  "subgroups",
  // Matrix units; Dawn only.
  "chromium-experimental-subgroup-matrix",
];
/** How long word of a loss may take, in milliseconds. */
const LOSS_MS = 250;
const SOFTWARE = /llvmpipe|swiftshader|software|softpipe|cpu|warp/i;

/** Whether an adapter runs on a CPU. */
function isSoftware(info: GPUAdapterInfo): boolean {
  return info.isFallbackAdapter === true ||
    SOFTWARE.test(`${info.device} ${info.description} ${info.vendor} ${info.architecture}`);
}

/**
 * Opens a device on an adapter of `gpu` with the adapter's own size limits.
 *
 * @throws {GpuError} if there is no adapter.
 */
export async function openDevice(gpu: GPU, backend: BackendName): Promise<Gpu> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new GpuError(
      `WebGPU (${backend}): no adapter; install a Vulkan driver ` +
        `(Debian's software one: apt-get install mesa-vulkan-drivers) or use another --backend`,
    );
  }
  const { info } = adapter;
  const software = isSoftware(info);
  const features = WANTED_FEATURES.filter((feature) => adapter.features.has(feature as GPUFeatureName));
  const device = await adapter.requestDevice({
    label: "esper",
    requiredFeatures: features as GPUFeatureName[],
    requiredLimits: {
      maxBufferSize: adapter.limits.maxBufferSize,
      maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
      maxComputeWorkgroupStorageSize: adapter.limits.maxComputeWorkgroupStorageSize,
    },
  });
  let firstError: string | null = null;
  let loss: string | null = null;
  let destroyed = false;
  device.addEventListener("uncapturederror", (event) => {
    firstError ??= (event as GPUUncapturedErrorEvent).error.message;
  });
  const lost = device.lost.then(({ message, reason }) => {
    if (destroyed) return;
    loss = message || reason;
    firstError ??= `the device was lost: ${loss}`;
  });
  const allocator = new Allocator(device);
  return {
    device,
    adapter: {
      backend,
      vendor: info.vendor,
      architecture: info.architecture,
      device: info.device,
      description: info.description,
      software,
      features: [...features],
    },
    traits: {
      software,
      features: new Set<string>(features),
      maxWorkgroupBytes: device.limits.maxComputeWorkgroupStorageSize,
      maxBufferBytes: Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize),
    },
    allocator,
    pipelines: new PipelineCache(device),
    check() {
      if (firstError === null) return;
      const message = firstError;
      firstError = null;
      throw new GpuError(
        `WebGPU (${backend}): ${message.split("\n").find((line) => line.trim()) ?? message}`,
      );
    },
    async lossReason() {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, LOSS_MS);
      await Promise.race([lost, late]);
      clearTimeout(timer);
      return loss;
    },
    destroy() {
      destroyed = true;
      allocator.freeAll();
      device.destroy();
    },
  };
}

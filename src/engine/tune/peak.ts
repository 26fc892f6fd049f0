import { lowerCopy, lowerFma } from "../../../kernels/probe.ts";
import type { Gpu } from "../gpu/device.ts";
import { timePasses } from "../gpu/profile.ts";
import { bind, type BoundDispatch } from "../gpu/recorder.ts";

/** What a device reaches where nothing else is in the way. */
export interface Peak {
  /** Float32 multiplications and additions a second, by multiply-adds in registers. */
  readonly flops: number;
  /** Bytes a second, read and written, of a copy larger than any cache. */
  readonly bytes: number;
}

/** Size of a copy: well beyond the caches. */
const COPY_BYTES = { hardware: 256 * 2 ** 20, software: 32 * 2 ** 20 };
/** A dispatch of this length drowns the cost of starting it. */
const LONG_ENOUGH = 2e-3;
const REPEATS = 8;
const MAX_WORKGROUPS = 65_535;

const measured = new WeakMap<Gpu, Promise<Peak>>();

/**
 * The device's peak, measured at the first call.
 *
 * @throws {GpuError} where the device takes no timestamps.
 */
export function peakOf(gpu: Gpu): Promise<Peak> {
  let peak = measured.get(gpu);
  if (!peak) {
    peak = measure(gpu);
    measured.set(gpu, peak);
  }
  return peak;
}

async function measure(gpu: Gpu): Promise<Peak> {
  return { flops: await flopsPerSecond(gpu), bytes: await bytesPerSecond(gpu) };
}

async function flopsPerSecond(gpu: Gpu): Promise<number> {
  for (let workgroups = 64;; workgroups *= 4) {
    const count = Math.min(workgroups, MAX_WORKGROUPS);
    const { dispatch, flops, bytes } = lowerFma(count, gpu.traits.software ? 8 : 128);
    const result = gpu.allocator.storage("probe", bytes);
    const seconds = await best(gpu, await bind(gpu, dispatch, [result]));
    gpu.allocator.free(result);
    if (seconds >= LONG_ENOUGH || count === MAX_WORKGROUPS) return flops / seconds;
  }
}

async function bytesPerSecond(gpu: Gpu): Promise<number> {
  const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
  const size = COPY_BYTES[gpu.traits.software ? "software" : "hardware"];
  const { dispatch, bytes } = lowerCopy(Math.min(size, maxBufferSize, maxStorageBufferBindingSize));
  const views = ["source", "target"].map((name) => gpu.allocator.storage(`probe ${name}`, bytes / 2));
  const seconds = await best(gpu, await bind(gpu, dispatch, views));
  for (const view of views) gpu.allocator.free(view);
  return bytes / seconds;
}

/** Shortest of several runs. */
async function best(gpu: Gpu, dispatch: BoundDispatch): Promise<number> {
  const spans = await timePasses(gpu, Array.from({ length: REPEATS }, () => [dispatch]));
  return Math.min(...spans.map(({ begin, end }) => end - begin));
}

/**
 * How near a kernel comes to the device's peak: the time that its FLOPs or its bytes take at the peak, whichever is
 * longer, over the time it took. Operands that a cache holds, and matrix units, may come to more than 1.
 */
export function shareOfPeak(
  { flops, bytes, seconds }: { flops: number; bytes: number; seconds: number },
  peak: Peak,
): number {
  return Math.max(flops / peak.flops, bytes / peak.bytes) / seconds;
}

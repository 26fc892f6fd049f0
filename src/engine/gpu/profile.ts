/** Where the time of a list of dispatches goes, by the device's own clock. */
import type { BufferView } from "./allocator.ts";
import type { Gpu } from "./device.ts";
import { GpuError } from "./errors.ts";
import { read, settled } from "./readback.ts";
import { type BoundDispatch, encodePass, type Work } from "./recorder.ts";

/** When a pass ran, in seconds from the begin of the first one. */
export interface Span {
  /** In seconds. */
  readonly begin: number;
  /** In seconds. */
  readonly end: number;
}

/** How long a dispatch took. */
export interface DispatchTime extends Work {
  /** Name of the kernel. */
  readonly name: string;
  /** Median over the repeats. */
  readonly seconds: number;
}

/** One run of a list of dispatches, taken apart. */
export interface Profile {
  /** In order. */
  readonly dispatches: readonly DispatchTime[];
  /** Each dispatch in the repeat of median length. */
  readonly spans: readonly Span[];
  /** Sum of the dispatches' medians. */
  readonly kernelSeconds: number;
  /** Of one run without timestamps: one pass and one submit a run, many runs on their way. */
  readonly wallSeconds: number;
  /** What the host needs of that to encode one run and to submit it. Medians. */
  readonly encodeSeconds: number;
  /** What the host needs to submit it. */
  readonly submitSeconds: number;
  /** Runs that medians are taken over. */
  readonly repeats: number;
}

export interface ProfileOptions {
  /** Buffers whose content nobody needs after a run: they are not put back. */
  readonly scratch?: readonly BufferView[];
  /** How long to warm up, in seconds. Default 0.1: GPUs clock down where they idle. */
  readonly warmSeconds?: number;
  /** Fewest repeats; more are made until 0.2 seconds have passed. Default 5. */
  readonly repeats?: number;
}

/** Most queries in a set that WebGPU allows. */
const MAX_QUERIES = 4096;
const MAX_REPEATS = 64;
const ENOUGH_SECONDS = 0.2;
const NANOSECOND = 1e-9;

/** @throws {GpuError} where the device takes no timestamps; the message begins with `operation`. */
export function requireTimestamps(gpu: Gpu, operation: string): void {
  if (gpu.device.features.has("timestamp-query")) return;
  const { description, backend } = gpu.adapter;
  throw new GpuError(
    `${operation}: want an adapter with the feature timestamp-query, got ${description} (${backend}) without it; ` +
      `use another --backend or a newer driver`,
  );
}

/** Middle value; the mean of the two in the middle where there is none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[at] : (sorted[at - 1] + sorted[at]) / 2;
}

/**
 * Runs each list of dispatches in a pass of its own, one pass after the other, and tells when each ran.
 *
 * @throws {GpuError} where the device takes no timestamps.
 */
export async function timePasses(
  gpu: Gpu,
  passes: readonly (readonly BoundDispatch[])[],
): Promise<Span[]> {
  requireTimestamps(gpu, "timePasses");
  const { device, allocator } = gpu;
  const count = 2 * passes.length;
  const sets = Array.from(
    { length: Math.ceil(count / MAX_QUERIES) },
    (_, k) =>
      device.createQuerySet({ type: "timestamp", count: Math.min(MAX_QUERIES, count - k * MAX_QUERIES) }),
  );
  const times = allocator.queries("timestamps", count * 8);
  try {
    const encoder = device.createCommandEncoder();
    for (const [k, pass] of passes.entries()) {
      const at = 2 * k % MAX_QUERIES;
      const querySet = sets[Math.floor(2 * k / MAX_QUERIES)];
      encodePass(encoder, [pass], {
        timestampWrites: { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 },
      });
    }
    for (const [k, set] of sets.entries()) {
      encoder.resolveQuerySet(set, 0, set.count, times.buffer, k * MAX_QUERIES * 8);
    }
    device.queue.submit([encoder.finish()]);
    return spansOf(new BigUint64Array(await read(gpu, times, count * 8)));
  } finally {
    allocator.free(times);
    for (const set of sets) set.destroy();
  }
}

/**
 * Spans from timestamps in nanoseconds, begin and end by turns. A device may note the begin of a pass while the pass
 * ahead of it still runs: a span begins where the one ahead of it ended.
 */
export function spansOf(ticks: BigUint64Array): Span[] {
  let done = 0;
  return Array.from({ length: ticks.length / 2 }, (_, k) => {
    const since = (at: number) => Number(BigInt.asIntN(64, ticks[at] - ticks[0])) * NANOSECOND;
    const begin = Math.max(done, since(2 * k));
    done = Math.max(begin, since(2 * k + 1));
    return { begin, end: done };
  });
}

/**
 * Profiles dispatches that are replayed together, such as a step of training. What they write, `scratch` apart, is put
 * back as it was: nothing that comes later can tell that there was a profile.
 *
 * @throws {GpuError} where the device takes no timestamps, or has no memory for the copies.
 */
export async function profile(
  gpu: Gpu,
  dispatches: readonly BoundDispatch[],
  { scratch = [], warmSeconds = 0.1, repeats = 5 }: ProfileOptions = {},
): Promise<Profile> {
  requireTimestamps(gpu, "profile");
  const restore = backUp(gpu, dispatches, scratch);
  try {
    await repeat(2, warmSeconds, () => timeRuns(gpu, dispatches, 1));
    const { wall, encode, submit } = await timeHost(gpu, dispatches);
    const passes = dispatches.map((dispatch) => [dispatch]);
    const runs = await repeat(repeats, ENOUGH_SECONDS, () => timePasses(gpu, passes));
    const times = dispatches.map(({ name, work }, k) => ({
      name,
      ...work,
      seconds: median(runs.map((spans) => spans[k].end - spans[k].begin)),
    }));
    const byLength = runs.toSorted((a, b) => lengthOf(a) - lengthOf(b));
    return {
      dispatches: times,
      spans: byLength[runs.length >> 1],
      kernelSeconds: times.reduce((total, { seconds }) => total + seconds, 0),
      wallSeconds: wall,
      encodeSeconds: encode,
      submitSeconds: submit,
      repeats: runs.length,
    };
  } finally {
    restore();
    await settled(gpu);
  }
}

const lengthOf = (spans: readonly Span[]) => spans.at(-1)?.end ?? 0;

/** Copies what the dispatches write; returns what puts it back. */
function backUp(gpu: Gpu, dispatches: readonly BoundDispatch[], scratch: readonly BufferView[]): () => void {
  const buffers = new Set(dispatches.flatMap(({ writes }) => writes));
  for (const { buffer } of scratch) buffers.delete(buffer);
  const copies: { buffer: GPUBuffer; copy: BufferView }[] = [];
  const move = (each: (encoder: GPUCommandEncoder, pair: typeof copies[number]) => void) => {
    const encoder = gpu.device.createCommandEncoder();
    for (const pair of copies) each(encoder, pair);
    gpu.device.queue.submit([encoder.finish()]);
  };
  const free = () => copies.forEach(({ copy }) => gpu.allocator.free(copy));
  try {
    for (const buffer of buffers) {
      copies.push({ buffer, copy: gpu.allocator.storage("profile copy", buffer.size) });
    }
  } catch (error) {
    free();
    throw error;
  }
  move((encoder, { buffer, copy }) => encoder.copyBufferToBuffer(buffer, 0, copy.buffer, 0, buffer.size));
  return () => {
    move((encoder, { buffer, copy }) => encoder.copyBufferToBuffer(copy.buffer, 0, buffer, 0, buffer.size));
    free();
  };
}

/** Works at least `least` times and for as long as `seconds`. */
async function repeat<T>(least: number, seconds: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  const started = performance.now();
  while (
    results.length < least ||
    (results.length < MAX_REPEATS && performance.now() - started < seconds * 1000)
  ) results.push(await work());
  return results;
}

/** Seconds until the device has done `count` runs, one submit each, and the host's share of each. */
async function timeRuns(gpu: Gpu, dispatches: readonly BoundDispatch[], count: number) {
  const encode: number[] = [], submit: number[] = [];
  const started = performance.now();
  for (let k = 0; k < count; k++) {
    const from = performance.now();
    const encoder = gpu.device.createCommandEncoder();
    encodePass(encoder, [dispatches]);
    const commands = encoder.finish();
    const encoded = performance.now();
    gpu.device.queue.submit([commands]);
    encode.push((encoded - from) / 1000);
    submit.push((performance.now() - encoded) / 1000);
  }
  await settled(gpu);
  return { total: (performance.now() - started) / 1000, encode, submit };
}

/** Seconds a run where many follow each other, and of the host's share. */
async function timeHost(gpu: Gpu, dispatches: readonly BoundDispatch[]) {
  for (let count = 2;; count *= 4) {
    const { total, encode, submit } = await timeRuns(gpu, dispatches, count);
    if (total < ENOUGH_SECONDS / 2 && count < 512) continue;
    return { wall: total / count, encode: median(encode), submit: median(submit) };
  }
}

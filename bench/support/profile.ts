import type { Gpu } from "../../src/engine/gpu/device.ts";
import { read } from "../../src/engine/gpu/readback.ts";
import type { BoundDispatch } from "../../src/engine/gpu/recorder.ts";
import { spreadOf } from "./statistics.ts";

/** WebGPU's limit is 4096 queries a set; each dispatch takes two. */
const MOST_DISPATCHES = 2048;

/**
 * Microseconds on the device of each dispatch, the median of `rounds` replays. Each dispatch is a pass of its own, with a
 * timestamp before and after it.
 *
 * @throws {Error} if the device has no timestamps.
 */
export async function profileDispatches(
  gpu: Gpu,
  dispatches: readonly BoundDispatch[],
  rounds: number,
): Promise<number[]> {
  if (!gpu.traits.features.has("timestamp-query")) {
    throw new Error("profile: this adapter has no timestamp-query");
  }
  const parts: BoundDispatch[][] = [];
  for (let at = 0; at < dispatches.length; at += MOST_DISPATCHES) {
    parts.push(dispatches.slice(at, at + MOST_DISPATCHES));
  }
  const times: number[][] = dispatches.map(() => []);
  for (let round = -1; round < rounds; round++) {
    let first = 0;
    for (const part of parts) {
      const micros = await timeEach(gpu, part);
      if (round >= 0) { for (const [k, time] of micros.entries()) times[first + k].push(time); }
      first += part.length;
    }
  }
  return times.map((each) => spreadOf(each).median);
}

async function timeEach(gpu: Gpu, dispatches: readonly BoundDispatch[]): Promise<number[]> {
  const { device } = gpu;
  const count = 2 * dispatches.length;
  const querySet = device.createQuerySet({ type: "timestamp", count });
  const buffer = device.createBuffer({
    label: "timestamps",
    size: 8 * count,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  try {
    const encoder = device.createCommandEncoder();
    for (const [k, { pipeline, bindGroup, workgroups }] of dispatches.entries()) {
      const pass = encoder.beginComputePass({
        timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * k, endOfPassWriteIndex: 2 * k + 1 },
      });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
      pass.end();
    }
    encoder.resolveQuerySet(querySet, 0, count, buffer, 0);
    device.queue.submit([encoder.finish()]);
    const stamps = new BigUint64Array(await read(gpu, { buffer, offset: 0, size: 8 * count }));
    return dispatches.map((_, k) => Number(stamps[2 * k + 1] - stamps[2 * k]) / 1e3);
  } finally {
    buffer.destroy();
    querySet.destroy();
  }
}

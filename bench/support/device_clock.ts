import type { Gpu } from "../../src/engine/gpu/device.ts";
import { read } from "../../src/engine/gpu/readback.ts";

/** The device's own clock around what is submitted. */
export interface DeviceClock {
  begin(): void;
  /** Milliseconds since `begin` that the device was at what was submitted since; waits for it. */
  end(): Promise<number>;
  destroy(): void;
}

/** A clock for one stretch of work at a time, on a device with the feature timestamp-query. */
export function deviceClock(gpu: Gpu): DeviceClock {
  const { device, allocator } = gpu;
  const querySet = device.createQuerySet({ type: "timestamp", count: 4 });
  const times = allocator.queries("clock", 32);
  /** An empty pass: it begins after all that was submitted before, and ends before all that comes. */
  const stamp = (at: number, resolve: boolean) => {
    const encoder = device.createCommandEncoder();
    const timestampWrites = { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
    encoder.beginComputePass({ timestampWrites }).end();
    if (resolve) encoder.resolveQuerySet(querySet, 0, 4, times.buffer, 0);
    device.queue.submit([encoder.finish()]);
  };
  return {
    begin: () => stamp(0, false),
    async end() {
      stamp(2, true);
      const ticks = new BigUint64Array(await read(gpu, times, 32));
      return Number(BigInt.asIntN(64, ticks[3] - ticks[0])) / 1e6;
    },
    destroy() {
      allocator.free(times);
      querySet.destroy();
    },
  };
}

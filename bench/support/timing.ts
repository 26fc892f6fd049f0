import type { Gpu } from "../../src/engine/gpu/device.ts";
import { settled } from "../../src/engine/gpu/readback.ts";
import { type Spread, spreadOf } from "./statistics.ts";

export interface TimingOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Calls a round; absent: as many as `seconds` hold. */
  readonly calls?: number;
}

/** Wall time of one call in ms, over rounds of many calls each. */
export interface Timing extends Spread {
  readonly calls: number;
  readonly rounds: number;
}

/** More queued calls than this tell nothing new. */
const MOST_CALLS = 2000;

async function round(gpu: Gpu, call: () => void, calls: number): Promise<number> {
  const start = performance.now();
  for (let k = 0; k < calls; k++) call();
  await settled(gpu);
  return (performance.now() - start) / calls;
}

/**
 * Times work that `call` queues on the device. Each round queues many calls and waits once, at its end, as a training loop
 * does; the first rounds, until the clock of the device has risen, are not counted.
 */
export async function timeCalls(gpu: Gpu, call: () => void, options: TimingOptions): Promise<Timing> {
  const { rounds, seconds } = options;
  await round(gpu, call, 1);
  const fit = (ms: number) => Math.max(1, Math.min(MOST_CALLS, Math.round(1e3 * seconds / ms)));
  const probe = await round(gpu, call, options.calls ?? Math.min(10, fit(await round(gpu, call, 1))));
  const warm = await round(gpu, call, fit(probe));
  const calls = options.calls ?? fit(warm);
  const times: number[] = [];
  for (let k = 0; k < rounds; k++) times.push(await round(gpu, call, calls));
  return { ...spreadOf(times), calls, rounds };
}

import type { Gpu } from "../../src/engine/gpu/device.ts";
import { settled } from "../../src/engine/gpu/readback.ts";
import { type Spread, spreadOf } from "./statistics.ts";

export interface TimingOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Calls a round; absent: as many as `seconds` hold. */
  readonly calls?: number;
  /** Whether short rounds will do, though waiting for them takes longer than they last. */
  readonly quick?: boolean;
}

/** Wall time of one call in ms, over rounds of many calls each. */
export interface Timing extends Spread {
  /** Of that, what the host needs to queue it. */
  readonly host: number;
  readonly calls: number;
  readonly rounds: number;
}

/** More queued calls than this tell nothing new. */
const MOST_CALLS = 5000;
/**
 * Rounds last at least this many times what it takes to learn that an idle device is done (10 ms where it is asked a
 * hundred times a second), so that waiting is no part of what is timed.
 */
const ROUND_TO_WAIT = 40;

const waits = new WeakMap<Gpu, number>();

/** Milliseconds until an idle device is known to be idle. */
async function waitOf(gpu: Gpu): Promise<number> {
  let wait = waits.get(gpu);
  if (wait === undefined) {
    const times: number[] = [];
    for (let k = 0; k < 3; k++) times.push((await round(gpu, () => {}, 1)).ms);
    wait = spreadOf(times).median;
    waits.set(gpu, wait);
  }
  return wait;
}

interface Round {
  readonly ms: number;
  readonly host: number;
}

async function round(gpu: Gpu, call: () => void, calls: number): Promise<Round> {
  const start = performance.now();
  for (let k = 0; k < calls; k++) call();
  const queued = performance.now();
  await settled(gpu);
  return { ms: (performance.now() - start) / calls, host: (queued - start) / calls };
}

/**
 * Times work that `call` queues on the device. Each round queues many calls and waits once, at its end, as a training loop
 * does; the first rounds, until the clock of the device has risen, are not counted.
 */
export async function timeCalls(gpu: Gpu, call: () => void, options: TimingOptions): Promise<Timing> {
  const { rounds } = options;
  await round(gpu, call, 1);
  const seconds = options.quick
    ? options.seconds
    : Math.max(options.seconds, ROUND_TO_WAIT * await waitOf(gpu) / 1e3);
  const fit = ({ ms }: Round) => Math.max(1, Math.min(MOST_CALLS, Math.round(1e3 * seconds / ms)));
  const probe = await round(gpu, call, options.calls ?? Math.min(10, fit(await round(gpu, call, 1))));
  const warm = await round(gpu, call, options.calls ?? fit(probe));
  const calls = options.calls ?? fit(warm);
  const times: Round[] = [];
  for (let k = 0; k < rounds; k++) times.push(await round(gpu, call, calls));
  const { median: host } = spreadOf(times.map((time) => time.host));
  return { ...spreadOf(times.map(({ ms }) => ms)), host, calls, rounds };
}

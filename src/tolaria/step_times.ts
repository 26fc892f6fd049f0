import type { TimeQuantity } from "../contracts/health.ts";
import { type Topology, topologyKey } from "./growable.ts";

/** Readings that a median must rest on. */
const LEAST_READINGS = 3;

/** Milliseconds of a step: the median, and what 95 of 100 readings do not exceed. */
export type StepTime = Readonly<Record<Exclude<TimeQuantity, "micros">, number>>;

/** Value below which a share `q` of the sorted numbers lies; between two, by linear interpolation. */
function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1), low = Math.floor(at), high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

/**
 * How long training steps take, by the times at which the device was known to have done them. A reading is the mean over
 * the steps between two such times of one tick, so that what a tick's end costs is no part of it.
 */
export class StepTimes {
  #mark = { time: 0, step: 0 };
  /** Step up to which the device was last asked. */
  #asked = 0;
  #readings: number[] = [];
  /** What the steps of each topology last took. */
  readonly #medians = new Map<string, number>();

  /** Begins a tick: the device has nothing to do. */
  restart(step: number, time = performance.now()): void {
    this.#mark = { time, step };
    this.#asked = step;
    this.#readings = [];
  }

  /** The device has done what it was last asked for; `step` is what it is asked for next. */
  read(step: number, time = performance.now()): void {
    const steps = this.#asked - this.#mark.step;
    if (steps > 0) {
      this.#readings.push((time - this.#mark.time) / steps);
      this.#mark = { time, step: this.#asked };
    }
    this.#asked = step;
  }

  /** Ends a tick in which one topology ran. Null where there were too few readings. */
  settle(topology: Topology): StepTime | null {
    if (this.#readings.length < LEAST_READINGS) return null;
    const sorted = this.#readings.toSorted((a, b) => a - b);
    const stepP50 = quantile(sorted, 0.5);
    this.#medians.set(topologyKey(topology), stepP50);
    return { stepP50, stepP95: quantile(sorted, 0.95) };
  }

  /**
   * Microseconds of a step that are a seed's: the median step with it less that without it, where both were measured, by
   * the latest tick of each. It carries the noise of both and may be below 0.
   */
  microsOf(slot: string, topology: Topology): number | null {
    const { [slot]: seed, ...others } = topology;
    const whole = this.#medians.get(topologyKey(topology)), rest = this.#medians.get(topologyKey(others));
    return !seed || whole === undefined || rest === undefined ? null : 1000 * (whole - rest);
  }
}

/** Readings that the speed is averaged over. */
const READINGS = 30;

/** How fast a run goes: steps over the last readings, whatever else went on between them included. */
export class Speedometer {
  #readings: { time: number; step: number }[] = [];
  #stepsPerSecond = 0;

  /** Begins anew: after a start, or a step back. */
  restart(step: number): void {
    this.#readings = [{ time: performance.now(), step }];
  }

  /** Takes a reading; returns steps a second. */
  read(step: number): number {
    const time = performance.now(), oldest = this.#readings[0];
    this.#readings = [...this.#readings, { time, step }].slice(-READINGS);
    this.#stepsPerSecond = (step - oldest.step) / Math.max(1e-6, time - oldest.time) * 1000;
    return this.#stepsPerSecond;
  }

  /** Steps that take `milliseconds` at the speed last read, at least 1. */
  stepsIn(milliseconds: number): number {
    return Math.max(1, Math.floor(this.#stepsPerSecond * milliseconds / 1000));
  }
}

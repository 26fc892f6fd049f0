/** What a thread has spent its time on, in ms since some moment. */
export interface ThreadTimes {
  /** It computed; NaN where the system does not say. */
  readonly cpu: number;
  /** It could have, but no core was free; NaN where the system does not say. */
  readonly noCore: number;
  /** Dawn's binding asked the device whether work is done. */
  readonly polls: number;
}

type Later = (callback: (...args: unknown[]) => void, ...args: unknown[]) => unknown;

let polls = 0;

/** Counts the time of Dawn's polls from now on; before a device is opened. */
export function watchPolls(): void {
  const scope = globalThis as unknown as { setImmediate: Later; setTimeout: Later };
  for (const name of ["setImmediate", "setTimeout"] as const) {
    const later = scope[name];
    scope[name] = (callback, ...args) => {
      if (!/\[native code\]/.test(Function.prototype.toString.call(callback))) {
        return later(callback, ...args);
      }
      const timed = (...given: unknown[]) => {
        const started = performance.now();
        callback(...given);
        polls += performance.now() - started;
      };
      return later(timed, ...args);
    };
  }
}

/** Of the thread that asks. */
export function threadTimes(): ThreadTimes {
  try {
    const [cpu, noCore] = Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ").map(Number);
    return { cpu: cpu / 1e6, noCore: noCore / 1e6, polls };
  } catch {
    return { cpu: NaN, noCore: NaN, polls };
  }
}

/** What a thread of this process sees that has nothing to do with the device: when it stands still, so does the machine. */
export interface Witness {
  /** Whether it stood still for more than 4 ms between two times, in ms since 1970: for how long at most. */
  stoodStill(from: number, to: number): number;
  stop(): void;
}

const MOST_GAPS = 4096;

export function startWitness(): Witness {
  const shared = new SharedArrayBuffer(8 + 16 * MOST_GAPS);
  const flags = new Int32Array(shared, 0, 2), gaps = new Float64Array(shared, 8);
  const thread = new Worker(new URL("./witness_thread.ts", import.meta.url), { type: "module" });
  thread.postMessage(shared);
  return {
    stoodStill(from, to) {
      let longest = 0;
      for (let k = 0; k < flags[1]; k++) {
        longest = Math.max(longest, Math.min(to, gaps[2 * k + 1]) - Math.max(from, gaps[2 * k]));
      }
      return longest;
    },
    stop() {
      // A thread that never leaves its loop would keep the program from ending.
      Atomics.store(flags, 0, 1);
      Atomics.notify(flags, 0);
      thread.terminate();
    },
  };
}

// Sleeps for a millisecond again and again, and writes down when it slept much longer. Started by `witness.ts`.
const scope = globalThis as unknown as { onmessage: (event: MessageEvent<SharedArrayBuffer>) => void };

scope.onmessage = ({ data }) => {
  const flags = new Int32Array(data, 0, 2), gaps = new Float64Array(data, 8);
  const now = () => performance.timeOrigin + performance.now();
  let last = now();
  while (Atomics.load(flags, 0) === 0) {
    Atomics.wait(flags, 0, 0, 1);
    const woken = now();
    if (woken - last > 4 && 2 * flags[1] < gaps.length) {
      gaps.set([last, woken], 2 * flags[1]);
      Atomics.add(flags, 1, 1);
    }
    last = woken;
  }
};

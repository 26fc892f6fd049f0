// What a hit in the cache of validated kernels takes, in microseconds: a training loop asks it between steps. The bound is 5. By the
// clock on the wall, and by the time that the thread has computed (Linux), which does not count what others had the core for.
//
//   deno run -A bench/kernel_cache.ts [--hits 20000] [--rounds 7] [--quick] [--json FILE]
import { createKernelCache } from "../src/tezzeret/kernel_cache.ts";
import { readOptions } from "./support/options.ts";
import { digits, range, startReport } from "./support/report.ts";
import { spreadOf } from "./support/statistics.ts";
import { threadTimes } from "./support/thread_clock.ts";

const options = readOptions({ hits: "" });
const hits = Number(options.own.hits || (options.quick ? "200" : "20000"));
const report = startReport("Hits in the kernel cache", options, null);
const BOUND_MICROS = 5;
const never = () => Promise.reject(new Error("kernel cache: want a hit, got a miss"));

/** Cache with this many results, and its keys in no order. */
async function filled(count: number) {
  const cache = createKernelCache<number>();
  const keys = Array.from(
    { length: count },
    (_, k) => (k * 2_654_435_761 % 2 ** 32).toString(16).padStart(64, "0"),
  );
  for (const [value, key] of keys.entries()) {
    await cache.get(key, () => Promise.resolve({ value, sizeBytes: 64 }));
  }
  return { cache, keys };
}

interface Row extends Record<string, string | number> {
  hit: string;
  median: number;
  p10: number;
  p90: number;
  /** Of the time that the thread computed: median, 90 % quantile, maximum. */
  cpu: number;
  cpuP90: number;
  cpuMost: number;
}
const rows: Row[] = [];
for (const count of [10, 1000, 100_000]) {
  const { cache, keys } = await filled(count);
  const ways = {
    peek: (key: string) => cache.peek(key),
    "get, awaited": async (key: string) => await cache.get(key, never),
  };
  for (const [way, hit] of Object.entries(ways)) {
    const times: number[] = [], cpu: number[] = [];
    for (let round = 0; round <= options.rounds; round++) {
      const started = performance.now(), before = threadTimes().cpu;
      for (let n = 0; n < hits; n++) await hit(keys[(n * 7919) % count]);
      if (round === 0) continue;
      times.push(1e3 * (performance.now() - started) / hits);
      cpu.push(1e3 * (threadTimes().cpu - before) / hits);
    }
    const { median, p90 } = spreadOf(cpu);
    rows.push({
      ...{ hit: `${way}, ${count} results`, ...spreadOf(times) },
      ...{ cpu: median, cpuP90: p90, cpuMost: Math.max(...cpu) },
    });
  }
}
report.table(`${hits} hits, one after the other`, {
  hit: (row: Row) => row.hit,
  "µs": ({ median }) => digits(median),
  "p10..p90": range,
  "µs computed": ({ cpu }) => digits(cpu),
  p90: ({ cpuP90 }) => digits(cpuP90),
  most: ({ cpuMost }) => digits(cpuMost),
}, rows);
const worst = Math.max(...rows.map(({ p90, cpuP90 }) => Number.isNaN(cpuP90) ? p90 : cpuP90));
console.log(`slowest, p90: ${digits(worst)} µs, bound ${BOUND_MICROS}`);
report.finish();

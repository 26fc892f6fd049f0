// What a hit in the cache of validated kernels takes, in microseconds: a training loop asks it between steps. The bound is 5.
//
//   deno run -A bench/kernel_cache.ts [--hits 20000] [--rounds 7] [--quick] [--json FILE]
import { createKernelCache } from "../src/tezzeret/kernel_cache.ts";
import { readOptions } from "./support/options.ts";
import { digits, range, startReport } from "./support/report.ts";
import { spreadOf } from "./support/statistics.ts";

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
}
const rows: Row[] = [];
for (const count of [10, 1000, 100_000]) {
  const { cache, keys } = await filled(count);
  const ways = {
    peek: (key: string) => cache.peek(key),
    "get, awaited": async (key: string) => await cache.get(key, never),
  };
  for (const [way, hit] of Object.entries(ways)) {
    const times: number[] = [];
    for (let round = 0; round <= options.rounds; round++) {
      const started = performance.now();
      for (let n = 0; n < hits; n++) await hit(keys[(n * 7919) % count]);
      if (round > 0) times.push(1e3 * (performance.now() - started) / hits);
    }
    rows.push({ hit: `${way}, ${count} results`, ...spreadOf(times) });
  }
}
report.table(`${hits} hits, one after the other`, {
  hit: (row: Row) => row.hit,
  "µs": ({ median }) => digits(median),
  "p10..p90": range,
}, rows);
const worst = Math.max(...rows.map(({ median }) => median));
console.log(`slowest: ${digits(worst)} µs, bound ${BOUND_MICROS}`);
report.finish();

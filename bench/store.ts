// What a store in a folder takes: milliseconds for a blob and for a manifest, safe on disk, and for lists of records by
// their state, with the index and without.
//
//   deno run -A bench/store.ts [--records 2000] [--folder DIR] [--rounds 7] [--quick] [--json FILE]
import { fileMedium } from "../src/urza/adapters/files.ts";
import { sqliteIndex } from "../src/urza/adapters/sqlite_index.ts";
import { createStore } from "../src/urza/create.ts";
import { readOptions } from "./support/options.ts";
import { digits, range, startReport } from "./support/report.ts";
import { spreadOf } from "./support/statistics.ts";

const options = readOptions({ records: "", folder: "" });
const count = Number(options.own.records || (options.quick ? "20" : "2000"));
const report = startReport("A store in a folder", options, null);
const root = await Deno.makeTempDir(options.own.folder === "" ? {} : { dir: options.own.folder });
const medium = fileMedium(root), index = sqliteIndex(root);
const plain = createStore(medium), indexed = createStore(medium, Date.now, index);

for (let i = 0; i < count; i++) {
  const hash = i.toString(16).padStart(64, "0");
  await plain.records.register("kernel", hash, { name: "conv3", shape: [32, 32, 16], note: "x".repeat(400) });
}
await plain.records.claim("kernel", "0".repeat(64), "bench", 1000);
// Young files are not indexed.
const hourAgo = new Date(Date.now() - 3_600_000);
for (const path of await medium.list("records")) await Deno.utime(`${root}/${path}`, hourAgo, hourAgo);

const random = (sizeBytes: number) => {
  const bytes = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 65536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(at + 65536, sizeBytes)));
  }
  return bytes;
};
let written = 0;
const WORK: Readonly<Record<string, () => Promise<unknown>>> = {
  "put a blob of 4 KiB": () => plain.put(random(4096)),
  "put a blob of 1 MiB": () => plain.put(random(2 ** 20)),
  "write a manifest": () => plain.writeManifest("bench", `${written++}`, { step: written }),
  [`list 1 of ${count} records by state, first time`]: () => {
    index.reset();
    return indexed.records.list("kernel", "COMPILING");
  },
  [`list 1 of ${count} records by state, indexed`]: () => indexed.records.list("kernel", "COMPILING"),
  [`list 1 of ${count} records by state, no index`]: () => plain.records.list("kernel", "COMPILING"),
};

interface Row extends Record<string, string | number> {
  work: string;
  median: number;
  p10: number;
  p90: number;
}
const rows: Row[] = [];
for (const [work, run] of Object.entries(WORK)) {
  await run();
  const times: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const started = performance.now();
    await run();
    times.push(performance.now() - started);
  }
  rows.push({ work, ...spreadOf(times) });
}
report.table("Milliseconds", {
  work: (row: Row) => row.work,
  ms: ({ median }) => digits(median),
  "p10..p90": range,
}, rows);
report.finish();
await Deno.remove(root, { recursive: true });

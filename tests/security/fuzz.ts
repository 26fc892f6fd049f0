/** `deno run -A tests/security/fuzz.ts [COUNT] [SEED]`: feeds COUNT (20,000) mutated files to everything that reads files. */
import fc from "fast-check";
import { feed, mutationsOf, type Outcome } from "./hostile.ts";
import { readers } from "./readers.ts";

/** How many files of each reader were read and refused. */
export async function fuzz(count: number, seed: number): Promise<Record<string, Record<Outcome, number>>> {
  const each = Math.ceil(count / readers.length);
  const found: Record<string, Record<Outcome, number>> = {};
  for (const reader of readers) {
    for (const bytes of reader.seeds) await feed(reader, Uint8Array.from(bytes));
    const outcomes = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(mutationsOf(reader), async (bytes) => void outcomes[await feed(reader, bytes)]++),
      { numRuns: each, seed, endOnFailure: true },
    );
    found[reader.name] = outcomes;
  }
  return found;
}

if (import.meta.main) {
  const [count = "20000", seed = "1"] = Deno.args;
  const started = performance.now();
  const found = await fuzz(Number(count), Number(seed));
  for (const [name, { read, refused }] of Object.entries(found)) {
    console.log(`${name}: ${read} read, ${refused} refused`);
  }
  const total = Object.values(found).reduce((sum, { read, refused }) => sum + read + refused, 0);
  console.log(`${total} files, none crashed; ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

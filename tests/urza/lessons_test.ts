/** What went wrong elsewhere with stores, and does not here. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createMemoryStore, memoryMedium } from "../../src/urza/memory.ts";
import { createStore } from "../../src/urza/create.ts";
import { seal } from "../../src/urza/seal.ts";
import { sha256 } from "../../src/util/hash.ts";
import { canonicalJson, type Json } from "../../src/util/json.ts";
import { runDeno } from "../support/subprocess.ts";

Deno.test("lesson 12, missing sensors that read as healthy: what is not known is stored as null, never as NaN or not at all", async () => {
  const store = createMemoryStore();
  await assertRejects(
    () => store.writeManifest("checkpoint", "a", { removalCost: NaN }),
    Error,
    "got NaN; store null for what is not known",
  );
  await store.writeManifest("checkpoint", "a", { removalCost: null });
  assertEquals(await store.readManifest("checkpoint", "a"), { removalCost: null });
  assertEquals((await store.records.register("kernel", "a".repeat(64), {})).report, null);
});

Deno.test("lesson 29, stale caches: content that is not what its name says is an error, not a result", async () => {
  const medium = memoryMedium(), store = createStore(medium);
  const hash = await store.put(new Uint8Array([1]));
  await medium.write(`blobs/${hash.slice(0, 2)}/${hash}`, new Uint8Array([2]));
  await assertRejects(() => store.get(hash), Error, "the file is damaged");
});

Deno.test("lesson 32, unstable ids: another process gives equal content the same name, whatever the order of its keys", async () => {
  const url = new URL("../../src/util/", import.meta.url);
  const program = `import { sha256 } from "${url}hash.ts"; import { canonicalJson } from "${url}json.ts";
    console.log(await sha256(canonicalJson({ shape: [8, 8, 4], blueprint: "conv3" })));`;
  const { stdout } = await runDeno([
    "--ext=ts",
    `data:application/typescript,${encodeURIComponent(program)}`,
  ]);
  assertEquals(stdout.trim(), await sha256(canonicalJson({ blueprint: "conv3", shape: [8, 8, 4] })));
});

Deno.test("lesson 33, pickle: what is loaded is data, whatever it is called", async () => {
  const medium = memoryMedium(), store = createStore(medium);
  const text = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toJSON":"x"}';
  await medium.write("manifests/checkpoint/a.json", await seal(JSON.parse(text)));
  const value = await store.readManifest("checkpoint", "a") as Record<string, Json>;
  assertEquals(Object.keys(value).sort(), ["__proto__", "constructor", "toJSON"]);
  assert(!("polluted" in {}));
  const code = new TextEncoder().encode("Deno.exit(1)");
  assertEquals(await store.get(await store.put(code)), code);
});

Deno.test("two workers compile the same row: a lease is one worker's, and any status in any order is refused", async () => {
  const { records } = createMemoryStore();
  const hash = "b".repeat(64);
  await records.register("kernel", hash, {});
  const claims = await Promise.allSettled(["w1", "w2"].map((w) => records.claim("kernel", hash, w, 1000)));
  assertEquals(claims.map(({ status }) => status), ["fulfilled", "rejected"]);
  await assertRejects(
    () => records.move("kernel", hash, "DEPLOYED", "r"),
    Error,
    "want VALIDATED or INVALID or UNVALIDATED after COMPILING",
  );
});

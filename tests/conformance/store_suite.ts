import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { createStore } from "../../src/urza/create.ts";
import type { Index } from "../../src/urza/index.ts";
import type { Medium } from "../../src/urza/medium.ts";
import { PIN_MS } from "../../src/urza/pins.ts";
import { seal } from "../../src/urza/seal.ts";
import type { RecordState, Store } from "../../src/urza/store.ts";
import type { Json } from "../../src/util/json.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const HASH_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const HASH_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** A store with a clock to turn and a medium to damage. */
interface Bench {
  store: Store;
  medium: Medium;
  clock: { now: number };
}

/** What every store must do. `withMedium` runs the body on a fresh medium and clears up after it. */
export function storeSuite(
  name: string,
  withMedium: (body: (medium: Medium, index?: Index) => Promise<void>) => Promise<void>,
  ignore = false,
): void {
  const test = (criterion: string, body: (bench: Bench) => Promise<void>) =>
    Deno.test(`${name} ${criterion}`, { ignore }, () =>
      withMedium(async (medium, index) => {
        const clock = { now: 1000 };
        await body({ store: createStore(medium, () => clock.now, index), medium, clock });
      }));

  blobTests(test);
  manifestTests(test);
  collectTests(test);
  recordTests(test);
}

type Test = (criterion: string, body: (bench: Bench) => Promise<void>) => void;

function blobTests(test: Test): void {
  test("names a blob by its SHA-256 and gives it back", async ({ store }) => {
    const hash = await store.put(bytesOf("abc"));
    assertEquals(hash, HASH_OF_ABC);
    assertEquals(await store.get(hash), bytesOf("abc"));
    assertEquals(await store.put(bytesOf("abc")), hash);
    assertEquals(await store.put(new Uint8Array()), HASH_OF_NOTHING);
    assertEquals(await store.get(HASH_OF_NOTHING), new Uint8Array());
  });

  test("gives back any bytes, a view's own part only", async ({ store }) => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const padded = new Uint8Array(bytes.length + 7);
        padded.set(bytes, 3);
        const hash = await store.put(padded.subarray(3, 3 + bytes.length));
        assertEquals(await store.get(hash), Uint8Array.from(bytes));
      }),
      { numRuns: 20 },
    );
  });

  test("keeps a blob when the caller changes its bytes", async ({ store }) => {
    const bytes = bytesOf("abc");
    const hash = await store.put(bytes);
    bytes[0] = 0;
    (await store.get(hash))[0] = 0;
    assertEquals(await store.get(hash), bytesOf("abc"));
  });

  test("has() tells what is there", async ({ store }) => {
    assertEquals(await store.has(HASH_OF_ABC), false);
    await store.put(bytesOf("abc"));
    assertEquals(await store.has(HASH_OF_ABC), true);
  });

  test("names the file of a missing blob", async ({ store, medium }) => {
    await assertRejects(
      () => store.get(HASH_OF_ABC),
      Error,
      `urza: want blob ${HASH_OF_ABC} at ${
        medium.locate(`blobs/ba/${HASH_OF_ABC}`)
      }, got no such file; the store is incomplete`,
    );
  });

  test("finds a flipped byte in a blob and names file and both hashes", async ({ store, medium }) => {
    const hash = await store.put(bytesOf("abc"));
    await medium.write(`blobs/ba/${hash}`, bytesOf("abb"));
    const error = await assertRejects(() => store.get(hash), Error);
    assert(
      error.message.startsWith(
        `urza: want content with SHA-256 ${hash} in ${medium.locate(`blobs/ba/${hash}`)}, got `,
      ),
    );
    assert(/got [0-9a-f]{64}; the file is damaged/.test(error.message), error.message);
  });

  test("put mends a damaged blob", async ({ store, medium }) => {
    const hash = await store.put(bytesOf("abc"));
    await medium.write(`blobs/ba/${hash}`, bytesOf("ab"));
    await store.put(bytesOf("abc"));
    assertEquals(await store.get(hash), bytesOf("abc"));
  });

  test("refuses what is not a hash", async ({ store }) => {
    const error = 'urza: want a hash of 64 hexadecimal digits, got "../../etc/passwd"';
    await assertRejects(() => store.get("../../etc/passwd"), Error, error);
    await assertRejects(() => store.records.read("kernel", "../../etc/passwd"), Error, error);
  });
}

function manifestTests(test: Test): void {
  test("gives back a manifest, replaced ones in their new form", async ({ store }) => {
    await store.writeManifest("checkpoint", "tick-0001", { step: 1, tensors: { w: [1.5, null, "é"] } });
    assertEquals(await store.readManifest("checkpoint", "tick-0001"), {
      step: 1,
      tensors: { w: [1.5, null, "é"] },
    });
    await store.writeManifest("checkpoint", "tick-0001", null);
    assertEquals(await store.readManifest("checkpoint", "tick-0001"), null);
  });

  test("lists the names of a kind in order", async ({ store }) => {
    assertEquals(await store.listManifests("checkpoint"), []);
    for (const name of ["b", "a", "c"]) await store.writeManifest("checkpoint", name, 1);
    await store.writeManifest("policy", "x", 1);
    await store.removeManifest("checkpoint", "c");
    await store.removeManifest("checkpoint", "never-there");
    assertEquals(await store.listManifests("checkpoint"), ["a", "b"]);
  });

  test("names a missing manifest", async ({ store, medium }) => {
    await assertRejects(
      () => store.readManifest("checkpoint", "a"),
      Error,
      `urza: want checkpoint "a" at ${medium.locate("manifests/checkpoint/a.json")}, got no such file`,
    );
  });

  test("finds every flipped byte in a manifest and names the file", async ({ store, medium }) => {
    await store.writeManifest("checkpoint", "a", { step: 12, name: "x y" });
    const path = "manifests/checkpoint/a.json";
    const good = (await medium.read(path))!;
    for (let at = 0; at < good.length; at++) {
      for (const bit of [1, 32, 128]) {
        const bad = good.slice();
        bad[at] ^= bit;
        await medium.write(path, bad);
        const error = await assertRejects(() => store.readManifest("checkpoint", "a"), Error);
        assert(
          error.message.includes(medium.locate(path)) && error.message.includes("damaged"),
          error.message,
        );
      }
    }
  });

  test("finds a manifest cut short anywhere", async ({ store, medium }) => {
    await store.writeManifest("checkpoint", "a", { step: 12 });
    const path = "manifests/checkpoint/a.json";
    const good = (await medium.read(path))!;
    for (let length = 0; length < good.length; length++) {
      await medium.write(path, good.subarray(0, length));
      await assertRejects(() => store.readManifest("checkpoint", "a"), Error, "the file is damaged");
    }
  });

  test("refuses names that lead elsewhere and values JSON cannot hold", async ({ store }) => {
    for (const name of ["..", "a/b", "", ".hidden", "a b"]) {
      await assertRejects(
        () => store.writeManifest("checkpoint", name, 1),
        Error,
        `urza: want a name of letters, digits, dots, dashes and underscores, got "${name}"`,
      );
    }
    await assertRejects(
      () => store.writeManifest("checkpoint", "a", { slots: [{ loss: NaN }] }),
      Error,
      "canonicalJson: want JSON at slots[0].loss, got NaN; store null for what is not known",
    );
    assertEquals(await store.listManifests("checkpoint"), []);
  });
}

function collectTests(test: Test): void {
  test("collects blobs nobody mentions and keeps the others", async ({ store, clock }) => {
    const [inManifest, inRecord, kept, gone] = await Promise.all(
      ["a", "b", "c", "dddd"].map((t) => store.put(bytesOf(t))),
    );
    await store.writeManifest("checkpoint", "a", { tensors: { w: `sha256:${inManifest}` } });
    await store.records.register("blueprint", inRecord, {});
    clock.now += PIN_MS;
    assertEquals(await store.collect([kept], { dryRun: true }), { blobs: 1, temporaries: 0, sizeBytes: 4 });
    assertEquals(await store.has(gone), true);
    assertEquals(await store.collect([kept]), { blobs: 1, temporaries: 0, sizeBytes: 4 });
    for (const hash of [inManifest, inRecord, kept]) assertEquals(await store.has(hash), true);
    assertEquals(await store.has(gone), false);
    await store.removeManifest("checkpoint", "a");
    assertEquals(await store.collect(), { blobs: 2, temporaries: 0, sizeBytes: 2 });
    assertEquals(await store.collect(), { blobs: 0, temporaries: 0, sizeBytes: 0 });
  });

  test("keeps what another writer has put until its manifest is written and removed again", async ({ medium, clock }) => {
    const writer = createStore(medium, () => clock.now), collector = createStore(medium, () => clock.now);
    const hash = await writer.put(bytesOf("abc"));
    assertEquals((await collector.collect()).blobs, 0);
    clock.now += PIN_MS - 1;
    await writer.put(bytesOf("abc")); // asks for another hour
    clock.now += PIN_MS - 1;
    assertEquals((await collector.collect()).blobs, 0);
    await writer.writeManifest("checkpoint", "a", { tensors: [hash, hash] });
    assertEquals([(await collector.collect()).blobs, await medium.list("pins")], [0, []]);
    await writer.removeManifest("checkpoint", "a");
    assertEquals((await collector.collect()).blobs, 1);
  });

  test("keeps what a record under a live lease refers to", async ({ store, clock }) => {
    const text = await store.put(bytesOf("kernel text"));
    await store.records.register("kernel", HASH_OF_ABC, { kernels: [text] });
    await store.records.claim("kernel", HASH_OF_ABC, "w1", 10 * PIN_MS);
    clock.now += 2 * PIN_MS;
    assertEquals((await store.collect()).blobs, 0);
    assertEquals(await store.get(text), bytesOf("kernel text"));
  });

  test("collects nothing when a manifest is damaged", async ({ store, medium }) => {
    const hash = await store.put(bytesOf("abc"));
    await medium.write("manifests/checkpoint/a.json", bytesOf("{}"));
    await assertRejects(() => store.collect(), Error, medium.locate("manifests/checkpoint/a.json"));
    assertEquals(await store.has(hash), true);
  });
}

function recordTests(test: Test): void {
  const h = HASH_OF_ABC;
  const route = async (store: Store, to: RecordState) => {
    const { records } = store;
    await records.register("kernel", h, { target: "native" });
    if (to === "UNVALIDATED") return;
    await records.claim("kernel", h, "w1", 100);
    if (to === "COMPILING") return;
    await records.settle("kernel", h, "w1", to === "INVALID" ? "INVALID" : "VALIDATED", { maxError: 1e-6 });
    if (to === "DEPLOYED" || to === "RETIRED") await records.move("kernel", h, "DEPLOYED", "in use");
    if (to === "RETIRED") await records.move("kernel", h, "RETIRED", "replaced");
  };

  test("takes a record from UNVALIDATED to RETIRED and keeps its history", async ({ store }) => {
    await route(store, "RETIRED");
    assertEquals(await store.records.read("kernel", h), {
      kind: "kernel",
      hash: h,
      state: "RETIRED",
      lease: null,
      meta: { target: "native" },
      report: { maxError: 1e-6 },
      history: [
        { from: "UNVALIDATED", to: "COMPILING", time: 1000, reason: "claimed by w1" },
        { from: "COMPILING", to: "VALIDATED", time: 1000, reason: "settled by w1" },
        { from: "VALIDATED", to: "DEPLOYED", time: 1000, reason: "in use" },
        { from: "DEPLOYED", to: "RETIRED", time: 1000, reason: "replaced" },
      ],
    });
  });

  test("registers once and lists by kind and state", async ({ store }) => {
    await route(store, "VALIDATED");
    assertEquals((await store.records.register("kernel", h, { other: true })).state, "VALIDATED");
    assertEquals((await store.records.list("kernel")).length, 1);
    assertEquals((await store.records.list("kernel", "VALIDATED")).length, 1);
    assertEquals(await store.records.list("kernel", "DEPLOYED"), []);
    assertEquals(await store.records.list("blueprint"), []);
    await assertRejects(
      () => store.records.read("blueprint", h),
      Error,
      `urza: want a record of blueprint ${h}, got none`,
    );
  });

  const tries: Record<string, (store: Store) => Promise<unknown>> = {
    COMPILING: (store) => store.records.claim("kernel", h, "w2", 100),
    VALIDATED: (store) => store.records.settle("kernel", h, "w1", "VALIDATED", null),
    INVALID: (store) => store.records.settle("kernel", h, "w1", "INVALID", null),
    DEPLOYED: (store) => store.records.move("kernel", h, "DEPLOYED", "r"),
    RETIRED: (store) => store.records.move("kernel", h, "RETIRED", "r"),
  };
  const legal = [
    "UNVALIDATED COMPILING",
    "COMPILING VALIDATED",
    "COMPILING INVALID",
    "VALIDATED DEPLOYED",
    "DEPLOYED RETIRED",
  ];
  for (const from of ["UNVALIDATED", "COMPILING", "VALIDATED", "INVALID", "DEPLOYED", "RETIRED"] as const) {
    for (const [to, attempt] of Object.entries(tries)) {
      if (legal.includes(`${from} ${to}`)) continue;
      test(`refuses ${from} to ${to} and names both`, async ({ store }) => {
        await route(store, from);
        const before = await store.records.read("kernel", h);
        const error = await assertRejects(() => attempt(store), Error);
        assert(error.message.includes(from) && error.message.includes(to), error.message);
        assertEquals(await store.records.read("kernel", h), before);
      });
    }
  }

  test("says what was wanted in place of an illegal move", async ({ store }) => {
    await route(store, "VALIDATED");
    await assertRejects(
      () => store.records.move("kernel", h, "RETIRED", "r"),
      Error,
      `urza: want DEPLOYED after VALIDATED for kernel ${h}, got RETIRED`,
    );
  });

  test("gives a lease to one of many who claim at once", async ({ store }) => {
    await route(store, "UNVALIDATED");
    const claims = await Promise.allSettled(
      ["w1", "w2", "w3", "w4"].map((owner) => store.records.claim("kernel", h, owner, 100)),
    );
    assertEquals(claims.filter((claim) => claim.status === "fulfilled").length, 1);
    assertEquals((await store.records.read("kernel", h)).history.length, 1);
  });

  test("keeps a lease until it runs out, then lets another take over", async ({ store, clock }) => {
    await route(store, "COMPILING");
    clock.now += 99;
    await assertRejects(
      () => store.records.claim("kernel", h, "w2", 100),
      Error,
      `urza: want kernel ${h} UNVALIDATED to claim it, got COMPILING under the lease of w1, 1 ms to go`,
    );
    clock.now += 1;
    const taken = await store.records.claim("kernel", h, "w2", 100);
    assertEquals(taken.lease, { owner: "w2", until: 1200 });
    assertEquals(taken.history.map((move) => move.reason), [
      "claimed by w1",
      "lease of w1 ran out",
      "claimed by w2",
    ]);
    await assertRejects(
      () => store.records.settle("kernel", h, "w1", "VALIDATED", null),
      Error,
      `urza: want the lease of w1 on kernel ${h} to settle it as VALIDATED, got w2; claim it again`,
    );
    assertEquals((await store.records.settle("kernel", h, "w2", "VALIDATED", null)).state, "VALIDATED");
  });

  test("refuses to settle under a lease that ran out", async ({ store, clock }) => {
    await route(store, "COMPILING");
    clock.now += 130;
    await assertRejects(
      () => store.records.settle("kernel", h, "w1", "VALIDATED", null),
      Error,
      "got one that ran out 30 ms ago; claim it again",
    );
  });

  test("renews a lease for its holder while it holds, and for nobody else", async ({ store, clock }) => {
    await route(store, "COMPILING");
    clock.now += 99;
    const until = clock.now + 500;
    assertEquals((await store.records.renew("kernel", h, "w1", 500)).lease, { owner: "w1", until });
    const moves = (await store.records.read("kernel", h)).history.length;
    clock.now += 499;
    await assertRejects(() => store.records.claim("kernel", h, "w2", 100), Error, "1 ms to go");
    await assertRejects(
      () => store.records.renew("kernel", h, "w2", 100),
      Error,
      `urza: want the lease of w2 on kernel ${h} to renew it, got w1; claim it again`,
    );
    await assertRejects(() => store.records.renew("kernel", h, "w1", Infinity), Error, "more than 0 ms");
    clock.now += 1;
    await assertRejects(() => store.records.renew("kernel", h, "w1", 100), Error, "ran out 0 ms ago");
    assertEquals((await store.records.read("kernel", h)).history.length, moves);
    await store.records.claim("kernel", h, "w2", 100);
    await store.records.settle("kernel", h, "w2", "INVALID", null);
    await assertRejects(() => store.records.renew("kernel", h, "w2", 100), Error, "got none; claim it again");
  });

  test("refuses leases that never hold or never end", async ({ store }) => {
    await route(store, "UNVALIDATED");
    for (const leaseMs of [0, -1, NaN, Infinity]) {
      await assertRejects(
        () => store.records.claim("kernel", h, "w1", leaseMs),
        Error,
        `urza: want a lease of more than 0 ms on kernel ${h}, got ${leaseMs}`,
      );
    }
  });

  test("refuses a record that is whole but none, or another's", async ({ store, medium }) => {
    await route(store, "UNVALIDATED");
    const path = `records/kernel/${h}.json`;
    const record = await store.records.read("kernel", h);
    const others: [unknown, string][] = [
      [null, "one with a fault in its whole"],
      [{ ...record, state: "BROKEN" }, "one with a fault in state"],
      [{ ...record, state: "COMPILING" }, "one with a fault in lease"],
      [{ ...record, hash: HASH_OF_NOTHING }, `that of kernel ${HASH_OF_NOTHING}`],
    ];
    for (const [value, got] of others) {
      await medium.write(path, await seal(value as Json));
      const want = `urza: want a record of kernel ${h} in ${medium.locate(path)}, got ${got}`;
      await assertRejects(() => store.records.read("kernel", h), Error, want);
      await assertRejects(() => store.records.list("kernel"), Error, want);
    }
  });

  test("expireLeases() moves what ran out back to UNVALIDATED, and only that", async ({ store, clock }) => {
    await route(store, "COMPILING");
    await store.records.register("kernel", HASH_OF_NOTHING, null);
    await store.records.claim("kernel", HASH_OF_NOTHING, "w2", 1000);
    clock.now += 100;
    assertEquals((await store.records.expireLeases("kernel")).map((record) => record.hash), [h]);
    const expired = await store.records.read("kernel", h);
    assertEquals([expired.state, expired.lease], ["UNVALIDATED", null]);
    assertEquals((await store.records.read("kernel", HASH_OF_NOTHING)).state, "COMPILING");
  });
}

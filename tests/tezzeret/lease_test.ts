import { assertEquals, assertRejects } from "@std/assert";
import { beating, settleOnce, type Verdict } from "../../src/tezzeret/lease.ts";
import { createMemoryStore } from "../../src/urza/memory.ts";

const hash = "ab".repeat(32);
const claim = (owner: string, leaseMs = 1000) => ({
  kind: "kernel" as const,
  hash,
  meta: null,
  owner,
  leaseMs,
});
const good: Verdict = { to: "VALIDATED", report: { found: 1 } };

/** Work that counts its calls. */
function counted(work: () => Promise<Verdict> = () => Promise.resolve(good)) {
  const counter = { calls: 0, work: () => (counter.calls++, work()) };
  return counter;
}

Deno.test("settleOnce() works on an asset once and then knows the outcome", async () => {
  const { records } = createMemoryStore();
  const first = counted(), second = counted();
  assertEquals((await settleOnce(records, claim("a"), first.work)).report, { found: 1 });
  assertEquals((await settleOnce(records, claim("b"), second.work)).state, "VALIDATED");
  assertEquals([first.calls, second.calls], [1, 0]);
});

Deno.test("settleOnce() waits for whoever is at work on the asset", async () => {
  const { records } = createMemoryStore();
  const slow = counted(() => new Promise((resolve) => setTimeout(() => resolve(good), 50))),
    other = counted();
  const outcomes = await Promise.all([
    settleOnce(records, claim("a"), slow.work),
    settleOnce(records, claim("b"), other.work),
  ]);
  assertEquals(outcomes.map(({ history }) => history.at(-1)!.reason), ["settled by a", "settled by a"]);
  assertEquals([slow.calls, other.calls], [1, 0]);
});

Deno.test("settleOnce() takes over from a process that was killed, as soon as its lease has run out", async () => {
  const { records } = createMemoryStore();
  await records.register("kernel", hash, null);
  await records.claim("kernel", hash, "killed", 150);
  const started = performance.now();
  const record = await settleOnce(records, claim("heir"), counted().work);
  assertEquals(record.history.map(({ reason }) => reason), [
    "claimed by killed",
    "lease of killed ran out",
    "claimed by heir",
    "settled by heir",
  ]);
  assertEquals(performance.now() - started < 1000, true);
});

Deno.test("settleOnce() keeps its lease for as long as the work is heard of, and nobody does it twice", async () => {
  let now = 0;
  const { records } = createMemoryStore(() => now);
  const other = counted();
  let waiting: Promise<unknown> | null = null;
  const record = await settleOnce(records, claim("a"), async ({ everyMs, beat }) => {
    waiting = settleOnce(records, claim("b"), other.work);
    for (let k = 0; k < 10; k++) {
      now += everyMs;
      beat();
      let lease = null;
      for (let turn = 0; turn < 1000 && lease?.until !== now + 1000; turn++) {
        await new Promise((resolve) => setTimeout(resolve));
        ({ lease } = await records.read("kernel", hash));
      }
      assertEquals(lease, { owner: "a", until: now + 1000 });
    }
    return good;
  });
  await waiting;
  assertEquals(record.history.map(({ reason }) => reason), ["claimed by a", "settled by a"]);
  assertEquals([now > 3 * 1000, other.calls], [true, 0]);
});

Deno.test("settleOnce() loses the lease of work that is not heard of any more", async () => {
  let now = 0;
  const { records } = createMemoryStore(() => now);
  const outcome = await settleOnce(records, claim("hung"), async ({ beat }) => {
    beat();
    now += 1001;
    await settleOnce(records, claim("heir"), counted().work);
    beat();
    return good;
  });
  assertEquals(outcome.history.map(({ reason }) => reason), [
    "claimed by hung",
    "lease of hung ran out",
    "claimed by heir",
    "settled by heir",
  ]);
});

Deno.test("beating() is heard while the work goes on, and not afterwards", async () => {
  let beats = 0;
  const heartbeat = { everyMs: 1, beat: () => void beats++ };
  const slow = async () => {
    while (beats < 3) await new Promise((resolve) => setTimeout(resolve));
    return "done";
  };
  assertEquals(await beating(heartbeat, slow), "done");
  const heard = beats;
  await new Promise((resolve) => setTimeout(resolve, 10));
  assertEquals(beats, heard);
});

Deno.test("settleOnce() hands in what took longer than its lease", async () => {
  let now = 0;
  const { records } = createMemoryStore(() => now);
  const slow = counted(() => {
    now += 60_000;
    return Promise.resolve(good);
  });
  assertEquals((await settleOnce(records, claim("a"), slow.work)).state, "VALIDATED");
  assertEquals(slow.calls, 1);
});

Deno.test("settleOnce() leaves the asset to the next one where the work breaks off", async () => {
  const { records } = createMemoryStore();
  const broken = () => Promise.reject(new Error("the device is gone"));
  await assertRejects(() => settleOnce(records, claim("a", 50), broken), Error, "the device is gone");
  assertEquals((await settleOnce(records, claim("b"), counted().work)).state, "VALIDATED");
});

Deno.test("settleOnce() gives up on a lease that outlives its time", async () => {
  const { records } = createMemoryStore();
  await records.register("kernel", hash, null);
  await records.claim("kernel", hash, "from tomorrow", 86_400_000);
  await assertRejects(
    () => settleOnce(records, claim("a", 60), counted().work),
    Error,
    "got COMPILING under the lease of from tomorrow",
  );
});

Deno.test("settleOnce() passes on an outcome that cannot be stored", async () => {
  const { records } = createMemoryStore();
  const odd = counted(() => Promise.resolve({ to: "VALIDATED", report: NaN }));
  await assertRejects(
    () => settleOnce(records, claim("a", 20), odd.work),
    Error,
    "canonicalJson: want JSON at",
  );
  assertEquals(odd.calls, 1);
});

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { BreakerError, createBreaker } from "../../src/tezzeret/breaker.ts";
import { kernelCacheKey, type KernelIdentity } from "../../src/tezzeret/compiler.ts";
import { type Cached, createKernelCache } from "../../src/tezzeret/kernel_cache.ts";

/** A maker that counts its calls. */
function maker<T>(make: () => Promise<Cached<T>>) {
  const counter = { calls: 0, make: () => (counter.calls++, make()) };
  return counter;
}

const of = (value: string, sizeBytes = 1) => maker(() => Promise.resolve({ value, sizeBytes }));
const failing = (text: string) => maker<string>(() => Promise.reject(new Error(text)));

Deno.test("createKernelCache() makes what is missing once and then has it without a wait", async () => {
  const cache = createKernelCache<string>();
  const a = of("A");
  assertEquals([cache.peek("a"), await cache.get("a", a.make), cache.peek("a")], [undefined, "A", "A"]);
  assertEquals([await cache.get("a", a.make), a.calls, cache.size], ["A", 1, 1]);
});

Deno.test("createKernelCache() makes once what several ask for at the same time", async () => {
  const cache = createKernelCache<string>();
  let finish = (_: Cached<string>) => {};
  const slow = maker(() => new Promise<Cached<string>>((resolve) => finish = resolve));
  const asked = Array.from({ length: 5 }, () => cache.get("a", slow.make));
  assertEquals(cache.peek("a"), undefined);
  finish({ value: "A", sizeBytes: 1 });
  assertEquals([await Promise.all(asked), slow.calls], [["A", "A", "A", "A", "A"], 1]);
});

Deno.test("createKernelCache() drops what was used longest ago where bytes run out", async () => {
  const cache = createKernelCache<string>({ maxBytes: 10 });
  for (const key of ["a", "b", "c"]) await cache.get(key, of(key, 3).make);
  assertEquals([cache.size, cache.sizeBytes], [3, 9]);
  cache.peek("a");
  await cache.get("d", of("d", 4).make);
  assertEquals(["a", "b", "c", "d"].map((key) => cache.peek(key)), ["a", undefined, "c", "d"]);
  assertEquals([cache.size, cache.sizeBytes], [3, 10]);
  await cache.get("e", of("e", 8).make);
  assertEquals([cache.size, cache.sizeBytes, cache.peek("e")], [1, 8, "e"]);
});

Deno.test("createKernelCache() hands over what is larger than itself and does not keep it", async () => {
  const cache = createKernelCache<string>({ maxBytes: 10 });
  assertEquals(await cache.get("a", of("A", 11).make), "A");
  assertEquals([cache.size, cache.sizeBytes, cache.peek("a")], [0, 0, undefined]);
});

Deno.test("createKernelCache() remembers a failure for its time, and then tries again", async () => {
  let now = 0;
  const cache = createKernelCache<string>({ failureMs: 100, now: () => now });
  const broken = failing("no such op");
  const first = await assertRejects(() => cache.get("a", broken.make), Error, "no such op");
  now = 99;
  assertStrictEquals(await assertRejects(() => cache.get("a", broken.make)), first);
  assertEquals([broken.calls, cache.size], [1, 0]);
  now = 100;
  assertEquals(await cache.get("a", of("A").make), "A");
});

Deno.test("createKernelCache() forgets the oldest of very many failures", async () => {
  const cache = createKernelCache<string>();
  const broken = failing("broken");
  for (let k = 0; k <= 1024; k++) await assertRejects(() => cache.get(`${k}`, broken.make));
  const calls = broken.calls;
  await assertRejects(() => cache.get("1", broken.make));
  assertEquals(broken.calls, calls);
  await assertRejects(() => cache.get("0", broken.make));
  assertEquals(broken.calls, calls + 1);
});

const sound = () => Promise.resolve("done");
const down = () => Promise.reject(new Error("the device was lost"));

Deno.test("createBreaker() lets nothing through after so many failures in a row, until it has rested", async () => {
  let now = 0;
  const breaker = createBreaker("compile", { failures: 2, restMs: 1000, now: () => now });
  await assertRejects(() => breaker.run(down), Error, "the device was lost");
  assertEquals(await breaker.run(sound), "done");
  for (let k = 0; k < 2; k++) await assertRejects(() => breaker.run(down), Error, "the device was lost");
  now = 1;
  await assertRejects(
    () => breaker.run(sound),
    BreakerError,
    "compile: want a device and a store that work, got 2 failures in a row, the last one: the device was lost; " +
      "see to that, it is tried again in 1 s",
  );
  now = 1000;
  assertEquals([await breaker.run(sound), await breaker.run(sound)], ["done", "done"]);
});

Deno.test("createBreaker() lets one through after its rest, which decides", async () => {
  let now = 0;
  const breaker = createBreaker("compile", { failures: 1, restMs: 1000, now: () => now });
  await assertRejects(() => breaker.run(down), Error, "the device was lost");
  now = 1000;
  const probe = breaker.run(down);
  await assertRejects(() => breaker.run(sound), BreakerError);
  await assertRejects(() => probe, Error, "the device was lost");
  now = 1999;
  await assertRejects(() => breaker.run(sound), BreakerError, "got 2 failures in a row");
  now = 2000;
  assertEquals(await breaker.run(sound), "done");
});

Deno.test("createBreaker() is not opened by work that is itself at fault", async () => {
  const breaker = createBreaker("compile", { failures: 1, counts: (error) => !(error instanceof TypeError) });
  const faulty = () => Promise.reject(new TypeError("no such op"));
  for (let k = 0; k < 3; k++) await assertRejects(() => breaker.run(faulty), TypeError);
  assertEquals(await breaker.run(sound), "done");
});

Deno.test("kernelCacheKey() is the SHA-256 of IR, shape, precision, adapter and version, the same in every process", async () => {
  const identity: KernelIdentity = {
    ir: {
      name: "test",
      version: 1,
      about: "a test",
      nodes: [{ name: "out", op: "scale", inputs: ["h"] }],
    },
    shape: [4, 4, 8],
    precision: "fp32",
    adapter: {
      backend: "native",
      vendor: "",
      architecture: "",
      device: "",
      description: "",
      software: true,
      features: [],
    },
    version: "1.0.0",
  };
  const key = await kernelCacheKey(identity);
  assertEquals(key, "cb2cde139332d17b3392b94f5a07872d08f47c9ab0f83b876244f94d39cdda90");
  // The order in which keys were written is no part of it.
  const { version, ...rest } = identity;
  assertEquals(await kernelCacheKey({ version, ...rest }), key);
  const others: KernelIdentity[] = [
    { ...identity, ir: { ...identity.ir, version: 2 } },
    { ...identity, shape: [4, 8, 4] },
    { ...identity, precision: "mixed" },
    { ...identity, adapter: { ...identity.adapter, backend: "dawn" } },
    { ...identity, version: "1.0.1" },
  ];
  const keys = await Promise.all(others.map(kernelCacheKey));
  assertEquals(new Set([key, ...keys]).size, 6);
});

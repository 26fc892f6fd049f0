import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { batchIndices, epochOrder } from "../../../src/engine/data/order.ts";

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

Deno.test("epochOrder() is a repeatable permutation", () => {
  fc.assert(fc.property(seeds, fc.nat(1000), fc.integer({ min: 1, max: 300 }), (seed, epoch, count) => {
    const order = epochOrder(seed, epoch, count);
    assertEquals(Array.from(order).sort((a, b) => a - b), Array.from({ length: count }, (_, i) => i));
    assertEquals(epochOrder(seed, epoch, count), order);
  }));
});

Deno.test("epochOrder() differs between epochs and seeds", () => {
  assertNotEquals(epochOrder(1, 0, 50), epochOrder(1, 1, 50));
  assertNotEquals(epochOrder(1, 0, 50), epochOrder(2, 0, 50));
});

Deno.test("batchIndices() lays epoch after epoch end to end, from any step", () => {
  const sizes = fc.integer({ min: 1, max: 40 });
  fc.assert(fc.property(seeds, sizes, sizes, fc.nat(200), (seed, count, batch, first) => {
    const from = first * batch, steps = 4;
    const epochs = new Map<number, Uint32Array>();
    const want = Array.from({ length: steps * batch }, (_, i) => {
      const epoch = Math.floor((from + i) / count);
      if (!epochs.has(epoch)) epochs.set(epoch, epochOrder(seed, epoch, count));
      return epochs.get(epoch)![(from + i) % count];
    });
    // Backwards, so that nothing can rest on the step before.
    const got = [3, 2, 1, 0].map((s) => Array.from(batchIndices(seed, first + s, batch, count))).reverse()
      .flat();
    assertEquals(got, want);
  }));
});

Deno.test("batchIndices() rejects empty batches and empty data", () => {
  assertThrows(
    () => batchIndices(1, 0, 0, 5),
    Error,
    "batch: want a batch and a training set of at least 1, got 0 and 5",
  );
  assertThrows(
    () => batchIndices(1, 0, 5, 0),
    Error,
    "batch: want a batch and a training set of at least 1, got 5 and 0",
  );
});

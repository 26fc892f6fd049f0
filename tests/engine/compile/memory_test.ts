import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Interval, planMemory } from "../../../src/engine/compile/memory.ts";

/** Intervals in order of their first point, as the compiler makes them. */
const schedules = fc.array(
  fc.record({ bytes: fc.integer({ min: 4, max: 4096 }), gap: fc.nat(2), length: fc.nat(12) }),
  { maxLength: 60 },
).map((steps) => {
  let first = 0;
  return steps.map(({ bytes, gap, length }): Interval => {
    first += gap;
    return { bytes, first, last: first + length };
  });
});

const overlap = (a: Interval, b: Interval) => a.first <= b.last && b.first <= a.last;

Deno.test("planMemory() gives no two intervals that overlap one slot", () => {
  fc.assert(fc.property(schedules, (intervals) => {
    const { slots } = planMemory(intervals);
    for (const [i, a] of intervals.entries()) {
      for (let j = 0; j < i; j++) assert(slots[i] !== slots[j] || !overlap(a, intervals[j]), `${i} and ${j}`);
    }
  }));
});

Deno.test("planMemory() makes each slot as large as the largest it holds", () => {
  fc.assert(fc.property(schedules, (intervals) => {
    const { slots, slotBytes } = planMemory(intervals);
    assertEquals(slots.length, intervals.length);
    const largest = slotBytes.map((_, slot) =>
      Math.max(...intervals.filter((_, k) => slots[k] === slot).map(({ bytes }) => bytes))
    );
    assertEquals(slotBytes, largest);
  }));
});

Deno.test("planMemory() takes no more slots than there are values, and no more bytes than them all", () => {
  fc.assert(fc.property(schedules, (intervals) => {
    const { slotBytes } = planMemory(intervals);
    const total = (sizes: readonly number[]) => sizes.reduce((sum, bytes) => sum + bytes, 0);
    assert(slotBytes.length <= intervals.length);
    assert(total(slotBytes) <= total(intervals.map(({ bytes }) => bytes)));
    // What lives at one point needs room at that point.
    for (const { first } of intervals) {
      const alive = intervals.filter((other) => other.first <= first && first <= other.last);
      assert(total(slotBytes) >= total(alive.map(({ bytes }) => bytes)));
    }
  }));
});

Deno.test("planMemory() puts a value where one of its size lives before or after, not where a small one does", () => {
  const intervals = [
    { bytes: 1000, first: 0, last: 1 },
    { bytes: 16, first: 1, last: 1 },
    { bytes: 24, first: 2, last: 3 },
    { bytes: 900, first: 2, last: 3 },
    { bytes: 1200, first: 4, last: 4 },
  ];
  assertEquals(planMemory(intervals), { slots: [0, 1, 1, 0, 0], slotBytes: [1200, 24] });
});

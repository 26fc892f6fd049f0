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

Deno.test("planMemory() takes no more slots than intervals overlap at one point", () => {
  fc.assert(fc.property(schedules, (intervals) => {
    const widest = Math.max(
      0,
      ...intervals.map(({ first }) => intervals.filter((i) => i.first <= first && first <= i.last).length),
    );
    assertEquals(planMemory(intervals).slotBytes.length, widest);
  }));
});

Deno.test("planMemory() puts a value where one of its size has died", () => {
  const intervals = [
    { bytes: 1000, first: 0, last: 1 },
    { bytes: 16, first: 1, last: 1 },
    { bytes: 24, first: 2, last: 3 },
    { bytes: 900, first: 2, last: 3 },
  ];
  assertEquals(planMemory(intervals), { slots: [0, 1, 1, 0], slotBytes: [1000, 24] });
});

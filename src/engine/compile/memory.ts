/** A value that lives from one point of the schedule to another, both included. */
export interface Interval {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface MemoryPlan {
  /** Slot of each interval. */
  readonly slots: readonly number[];
  /** Size of each slot in bytes. */
  readonly slotBytes: readonly number[];
}

/**
 * Assigns intervals to slots so that no two that overlap share one: the largest first, each to the smallest slot that is
 * free all the while, so that a slot never grows.
 */
export function planMemory(intervals: readonly Interval[]): MemoryPlan {
  const slots = new Array<number>(intervals.length);
  const slotBytes: number[] = [];
  const held: Interval[][] = [];
  const bySize = intervals.map((interval, k) => ({ interval, k }))
    .sort((a, b) => b.interval.bytes - a.interval.bytes || a.k - b.k);
  for (const { interval, k } of bySize) {
    // Slots were opened from the largest to the smallest.
    let slot = held.findLastIndex((others) => !others.some((other) => overlap(other, interval)));
    if (slot === -1) {
      slot = held.push([]) - 1;
      slotBytes.push(interval.bytes);
    }
    held[slot].push(interval);
    slots[k] = slot;
  }
  return { slots, slotBytes };
}

function overlap(a: Interval, b: Interval): boolean {
  return a.first <= b.last && b.first <= a.last;
}

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
 * Assigns intervals (sorted by `first`) to slots so that no two that overlap share one. Takes the free slot whose size is
 * nearest; a slot grows to the largest value it ever holds.
 */
export function planMemory(intervals: readonly Interval[]): MemoryPlan {
  const slotBytes: number[] = [];
  const busyUntil: number[] = [];
  const slots = intervals.map(({ bytes, first, last }) => {
    let best = -1;
    for (let slot = 0; slot < slotBytes.length; slot++) {
      if (busyUntil[slot] >= first) continue;
      if (best === -1 || distance(slotBytes[slot], bytes) < distance(slotBytes[best], bytes)) best = slot;
    }
    if (best === -1) best = slotBytes.push(0) - 1;
    slotBytes[best] = Math.max(slotBytes[best], bytes);
    busyUntil[best] = last;
    return best;
  });
  return { slots, slotBytes };
}

/** How badly a slot suits: memory to add, or memory that lies idle. */
function distance(slot: number, wanted: number): number {
  return Math.abs(slot - wanted);
}

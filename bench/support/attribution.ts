/** What went on beside a training loop while its steps were late. */

/** Something that went on for a while; times on one clock, in ms. */
export interface Activity {
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

/** A step that was waited for. */
export interface TimedStep {
  /** From its submit until it was done. */
  readonly ms: number;
  readonly end: number;
  /** Of that, until the submit had returned. */
  readonly submitMs: number;
  /** Longest time in which the thread that trains let no timer run. */
  readonly heldMs: number;
  /** By the device's own clock; null where it has none. */
  readonly deviceMs: number | null;
}

/** What steps came to while something went on. */
export interface Share extends Record<string, string | number> {
  readonly what: string;
  readonly steps: number;
  readonly late: number;
  readonly p99: number;
  readonly most: number;
}

/** What went on during a step, each once. */
export function during({ ms, end }: TimedStep, activities: readonly Activity[]): string[] {
  return [
    ...new Set(activities.filter(({ from, to }) => from < end && to > end - ms).map(({ what }) => what)),
  ];
}

/**
 * Steps by what went on meanwhile, most late steps first: a step counts for each activity that it overlaps. Late is what
 * took longer than `lateMs`.
 */
export function attribute(
  steps: readonly TimedStep[],
  activities: readonly Activity[],
  lateMs: number,
): Share[] {
  const by = new Map<string, number[]>();
  for (const step of steps) {
    const present = during(step, activities);
    for (const what of present.length > 0 ? present : ["nothing"]) {
      const times = by.get(what) ?? [];
      by.set(what, times);
      times.push(step.ms);
    }
  }
  return [...by].map(([what, times]) => {
    const sorted = times.toSorted((a, b) => a - b);
    return {
      what,
      steps: times.length,
      late: times.filter((ms) => ms > lateMs).length,
      p99: sorted[Math.min(sorted.length - 1, Math.floor(0.99 * sorted.length))],
      most: sorted.at(-1)!,
    };
  }).sort((a, b) => b.late - a.late || b.most - a.most);
}

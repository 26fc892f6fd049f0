/** What went on beside a training loop while its steps were late, and what they waited for. */

/** Something that went on for a while; times on one clock, in ms. */
export interface Activity {
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

/** A step that was waited for, in ms; NaN where it is not known. */
export interface TimedStep {
  /** From its submit until it was done. */
  readonly ms: number;
  readonly end: number;
  /** Of that, until the submit had returned. */
  readonly submit: number;
  /** Dawn's binding asked the device whether it is done. */
  readonly polls: number;
  /** By the device's own clock. */
  readonly device: number;
  /** The thread computed: what it had to, submits and polls included, and the collector of garbage. */
  readonly cpu: number;
  /** The thread could have gone on, but no core was free. */
  readonly noCore: number;
  /** A thread that only sleeps and wakes stood still, too. */
  readonly stoodStill: number;
}

/** What a late step waited for, first of all. */
export const CAUSES = {
  machine: "no thread of the process went on",
  device: "the device was at it, or at another's work",
  submit: "its submit did not return: a lock of the driver's or of Dawn's",
  polls: "a poll did not return: a lock of the driver's or of Dawn's",
  noCore: "no core was free",
  cpu: "its thread computed: garbage, messages",
  asleep: "its thread slept: a timer came late",
} as const;
export type Cause = keyof typeof CAUSES;

/** What most of a late step's delay against the usual one is due to. Who did not get on at all did not get on in a submit either. */
export function causeOf(step: TimedStep, usual: TimedStep): Cause {
  const delay = step.ms - usual.ms;
  if (step.stoodStill > delay / 2) return "machine";
  const over = (part: "device" | "submit" | "polls" | "noCore" | "cpu") => step[part] - usual[part];
  const parts = (["device", "submit", "polls", "noCore", "cpu"] as const).filter((part) =>
    over(part) > delay / 2
  );
  return parts[0] ?? "asleep";
}

/** Of each part the median. */
export function usualOf(steps: readonly TimedStep[]): TimedStep {
  const median = (part: keyof TimedStep) =>
    steps.map((step) => step[part]).toSorted((a, b) => a - b)[steps.length >> 1];
  return {
    ...{
      ms: median("ms"),
      end: 0,
      submit: median("submit"),
      polls: median("polls"),
      device: median("device"),
    },
    ...{ cpu: median("cpu"), noCore: median("noCore"), stoodStill: 0 },
  };
}

/** What went on during a step, each once. */
export function during(
  { ms, end }: Pick<TimedStep, "ms" | "end">,
  activities: readonly Activity[],
): string[] {
  return [
    ...new Set(activities.filter(({ from, to }) => from < end && to > end - ms).map(({ what }) => what)),
  ];
}

/** What a workshop is at while it tries a blueprint, and since when: what holds up others can be told from it. */

/** Where the time of a trial goes. */
export interface PhaseTime {
  /** What is done, and with which pipeline or at which size. */
  readonly phase: string;
  /** Milliseconds since 1970, comparable between threads. */
  readonly from: number;
  readonly ms: number;
}

/** Does work and notes it as a phase, also where it fails. */
export type During = <T>(phase: string, work: () => T | Promise<T>) => Promise<T>;

/** An empty list of phases, and what adds to it. */
export function notePhases(): { readonly phases: readonly PhaseTime[]; readonly during: During } {
  const phases: PhaseTime[] = [];
  return {
    phases,
    async during(phase, work) {
      const from = performance.timeOrigin + performance.now();
      try {
        return await work();
      } finally {
        phases.push({ phase, from, ms: performance.timeOrigin + performance.now() - from });
      }
    },
  };
}

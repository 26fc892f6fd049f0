import type { FleetJob, JobResult, WorkerCard } from "../contracts/fleet.ts";
import { UserError } from "../util/errors.ts";
import { wait } from "../util/wait.ts";
import { idOf, isSampled } from "./job.ts";
import { patiently } from "./patiently.ts";
import type { Queue, Standing, Submission } from "./queue.ts";

export interface DispatcherParts {
  readonly queue: Queue;
  readonly place: string;
  /** Share of the jobs that two workers do, whose results must agree: 0 to 1. */
  readonly verify: number;
  readonly priority?: number;
  /** Milliseconds between two looks at what is out. Default 500. */
  readonly lookMs?: number;
  /** Called with whoever works, as often. */
  onWorkers?(workers: readonly WorkerCard[]): void;
  onTrouble?(error: string): void;
}

/** What doing jobs twice has shown. */
export interface Verification {
  readonly agreed: number;
  /** Jobs whose two results differ, a line each. */
  readonly mismatches: readonly string[];
  /** Jobs that should have been done twice and were not, as no second worker took them. */
  readonly unchecked: number;
}

/** Has jobs done by whoever works. */
export interface Dispatcher {
  /**
   * Resolves to the result; null where the signal ended the wait, and with it the job.
   *
   * @throws {Error} what the job failed with in its last try; a UserError where it was cancelled.
   */
  done(job: FleetJob, signal: AbortSignal): Promise<JobResult | null>;
  /** Ends the comparisons: those that nobody has taken when no second worker is there are given up. */
  settle(signal: AbortSignal): Promise<Verification>;
  close(): Promise<void>;
}

interface Waiting {
  readonly id: string;
  settle(standing: Standing): void;
}

export function createDispatcher(parts: DispatcherParts): Dispatcher {
  const { queue, place, verify, priority = 0, lookMs = 500, onTrouble = () => {} } = parts;
  const waiting = new Map<string, Waiting>(), closed = new AbortController();
  const checks: { job: FleetJob; id: string; first: JobResult }[] = [];
  let looking: Promise<void> | null = null, workers: readonly WorkerCard[] = [];

  async function look(): Promise<void> {
    while (waiting.size > 0 && !closed.signal.aborted) {
      const ids = [...waiting.keys()];
      const standings = await patiently(() => queue.look(place, ids), onTrouble, closed.signal);
      for (const standing of standings) {
        if (standing.state !== "waiting" && standing.state !== "active") {
          waiting.get(standing.id)?.settle(standing);
        }
      }
      workers = await patiently(() => queue.workers(), onTrouble, closed.signal);
      parts.onWorkers?.(workers);
      if (waiting.size > 0) await wait(lookMs, closed.signal);
    }
    looking = null;
  }

  /** Null where the signal came first. */
  async function standingOf(submission: Submission, signal: AbortSignal): Promise<Standing | null> {
    const { id } = submission;
    await patiently(() => queue.submit(place, [submission]), onTrouble, signal);
    const { promise, resolve, reject } = Promise.withResolvers<Standing | null>();
    const stop = () => resolve(null);
    waiting.set(id, { id, settle: resolve });
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    looking ??= look();
    looking.catch(reject);
    try {
      return await promise;
    } finally {
      waiting.delete(id);
      signal.removeEventListener("abort", stop);
    }
  }

  return {
    async done(job, signal) {
      const id = await idOf(job.key);
      const standing = await standingOf({ id, job, priority }, signal);
      if (standing === null) {
        await queue.cancel(place, [id]).catch(() => {});
        return null;
      }
      if (standing.state === "cancelled") {
        throw new UserError(`fleet: job ${job.name} was cancelled; begin it anew with the same command`);
      }
      if (standing.result === null) throw errorOf(standing);
      if (isSampled(job.key, verify)) {
        const second = await idOf(job.key, 1), not = standing.result.worker;
        await patiently(() => queue.submit(place, [{ id: second, job, priority, not }]), onTrouble, signal);
        checks.push({ job, id: second, first: standing.result });
      }
      return standing.result;
    },

    async settle(signal) {
      const mismatches: string[] = [];
      let agreed = 0, unchecked = 0;
      for (const { job, id, first } of checks) {
        const standing = await checked(id, first.worker, signal);
        const second = standing?.result;
        if (!second) unchecked++;
        else if (second.evidence === first.evidence) agreed++;
        else {
          mismatches.push(
            `${job.name}: ${first.worker} came to ${first.evidence.slice(0, 12)}, ${second.worker} to ` +
              second.evidence.slice(0, 12),
          );
        }
      }
      checks.length = 0;
      return { agreed, mismatches, unchecked };
    },

    async close() {
      closed.abort();
      await looking?.catch(() => {});
    },
  };

  /** How the second of two ended; null where nobody is there to do it. */
  async function checked(id: string, not: string, signal: AbortSignal): Promise<Standing | null> {
    while (!signal.aborted) {
      const [standing] = await patiently(() => queue.look(place, [id]), onTrouble, signal);
      if (!standing || standing.state === "cancelled" || standing.state === "failed") return null;
      if (standing.state === "completed") return standing;
      workers = await patiently(() => queue.workers(), onTrouble, signal);
      parts.onWorkers?.(workers);
      const others = workers.some((worker) =>
        worker.id !== not && worker.place === place && !worker.draining
      );
      if (!others && standing.state === "waiting") {
        await queue.cancel(place, [id]);
        return null;
      }
      await wait(lookMs, signal);
    }
    await queue.cancel(place, [id]).catch(() => {});
    return null;
  }
}

function errorOf({ name, error }: Standing): Error {
  const message = error?.message ?? `fleet: job ${name} failed, and nothing says why`;
  return error === null || error.exitCode === null
    ? new Error(message)
    : new UserError(message, { exitCode: error.exitCode });
}

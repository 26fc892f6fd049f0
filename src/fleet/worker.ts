import type { FleetJob, JobProgress, JobResult, WorkerCard } from "../contracts/fleet.ts";
import { UserError } from "../util/errors.ts";
import { wait } from "../util/wait.ts";
import { checkJob } from "./job.ts";
import { patiently } from "./patiently.ts";
import type { JobFailure, Queue, Ticket } from "./queue.ts";

/** What a job is done under. */
export interface Conditions {
  /** Of the submission: two who do the same job for comparison do it under different ones. */
  readonly id: string;
  /** Aborted: write a checkpoint and resolve to null. */
  readonly signal: AbortSignal;
  progress(progress: JobProgress): void;
}

/** Does a job; null where the signal ended it. */
export type Perform = (job: FleetJob, conditions: Conditions) => Promise<Outcome | null>;
export type Outcome = Omit<JobResult, "version" | "key" | "worker">;

export type WorkerEvent =
  | { readonly kind: "took" | "completed" | "returned" | "lost"; readonly job: string }
  | { readonly kind: "failed"; readonly job: string; readonly error: string }
  | { readonly kind: "trouble"; readonly error: string };

export interface WorkerParts {
  readonly queue: Queue;
  readonly perform: Perform;
  readonly card: Pick<WorkerCard, "id" | "host" | "place" | "code" | "adapter">;
  /** Aborted: finish with a checkpoint, give back what is unfinished, and leave. */
  readonly signal: AbortSignal;
  /** Ends once nothing is left to do. */
  readonly untilEmpty?: boolean;
  /** Milliseconds between signs of life, and the longest time between two looks for work. Defaults 5,000 and 2,000. */
  readonly beatMs?: number;
  readonly idleMs?: number;
  onEvent?(event: WorkerEvent): void;
  onProgress?(progress: JobProgress): void;
}

/** First wait of a worker that found nothing to do, in milliseconds; it doubles up to `idleMs`. */
const FIRST_IDLE_MS = 50;

/** Takes jobs one after the other and does them, until the signal ends it. */
export async function work(parts: WorkerParts): Promise<{ completed: number; failed: number }> {
  const { queue, perform, card, signal, beatMs = 5000, idleMs = 2000, onEvent = () => {} } = parts;
  const count = { completed: 0, failed: 0 };
  let doing: { ticket: Ticket; progress: JobProgress; lost: AbortController } | null = null;
  const trouble = (error: string) => onEvent({ kind: "trouble", error });

  /** A sign of life of the worker, and of its hold on its job. One that does not come through is the next one's affair. */
  async function beat(): Promise<void> {
    const held = doing;
    try {
      await queue.enlist({
        ...card,
        ...count,
        doing: held ? [held.progress] : [],
        draining: signal.aborted,
      });
      if (held && !await queue.beat(card.place, held.ticket)) held.lost.abort();
    } catch (error) {
      trouble(messageOf(error));
    }
  }

  async function one(ticket: Ticket): Promise<void> {
    const { job: { name, key } } = ticket, { place, id: worker } = card;
    const lost = new AbortController();
    const fresh: JobProgress = { job: name, step: 0, loss: null, done: 0, resumedAt: 0 };
    const held = doing = { ticket, lost, progress: fresh };
    onEvent({ kind: "took", job: name });
    let outcome: Outcome | null = null, failure: JobFailure | null = null;
    try {
      const job = await checkJob(ticket.job);
      if (job.hashes.code !== card.code) {
        throw new UserError(`fleet: job ${name}: want its code, got another`);
      }
      outcome = await perform(job, {
        id: ticket.id,
        signal: AbortSignal.any([signal, lost.signal]),
        progress(progress) {
          held.progress = progress;
          parts.onProgress?.(progress);
        },
      });
    } catch (error) {
      failure = { message: messageOf(error), exitCode: error instanceof UserError ? error.exitCode : null };
    } finally {
      doing = null;
    }
    if (lost.signal.aborted) return onEvent({ kind: "lost", job: name });
    const counts = await patiently(
      () =>
        failure
          ? queue.fail(place, ticket, failure)
          : outcome
          ? queue.complete(place, ticket, { version: 1, key, worker, ...outcome })
          : queue.giveBack(place, ticket),
      trouble,
    );
    if (!counts) return onEvent({ kind: "lost", job: name });
    if (failure) {
      count.failed++;
      onEvent({ kind: "failed", job: name, error: failure.message });
    } else if (outcome) {
      count.completed++;
      onEvent({ kind: "completed", job: name });
    } else onEvent({ kind: "returned", job: name });
  }

  await beat();
  const pulse = setInterval(beat, beatMs);
  try {
    let idle = FIRST_IDLE_MS;
    while (!signal.aborted) {
      const ticket = await queue.take(card.place, card.id).catch((error) => {
        trouble(messageOf(error));
        return null;
      });
      if (ticket) {
        idle = FIRST_IDLE_MS;
        await one(ticket);
      } else if (parts.untilEmpty) break;
      else {
        // Spread, so that many who wait do not ask at once.
        await wait(idle * (0.5 + Math.random()), signal);
        idle = Math.min(2 * idle, idleMs);
      }
    }
  } finally {
    clearInterval(pulse);
    await queue.leave(card.id).catch((error) => trouble(messageOf(error)));
  }
  return count;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

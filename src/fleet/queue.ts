/** The queue of a fleet, as workers and those who have work see it. */
import type { FleetJob, JobResult, WorkerCard } from "../contracts/fleet.ts";

/** A job that a worker holds; `attempt` tells its hold from that of whoever held it before or after. */
export interface Ticket {
  readonly id: string;
  readonly attempt: number;
  readonly job: FleetJob;
}

export interface Submission {
  /** UUID; whoever submits the same one again means the same job. */
  readonly id: string;
  readonly job: FleetJob;
  /** Higher ones go first. Default 0. */
  readonly priority?: number;
  /** The worker that may not take it. */
  readonly not?: string;
}

export type JobState = "waiting" | "active" | "completed" | "failed" | "cancelled";

export interface Standing {
  readonly id: string;
  readonly name: string;
  readonly state: JobState;
  /** Further tries so far. */
  readonly retries: number;
  /** Where it is completed. */
  readonly result: JobResult | null;
  /** Where it failed, or failed the last time. */
  readonly error: JobFailure | null;
}

/** Why a try failed; `exitCode` of what a person can cure. */
export interface JobFailure {
  readonly message: string;
  readonly exitCode: number | null;
}

/** Jobs of one place by their state, and letters that nobody could deliver. */
export type Tally = Readonly<Record<JobState, number>>;

/**
 * A queue of jobs that survives those who use it. Time is the server's alone: the clocks of workers may say what they like.
 *
 * Where the server does not answer, everything rejects, and may be asked again; nothing that has resolved is lost.
 */
export interface Queue {
  /** Adds jobs; those that are there already are left alone, but for those that failed or were cancelled, which begin anew. */
  submit(place: string, jobs: readonly Submission[]): Promise<void>;
  /** The next job, of the highest priority, for this worker alone; null where there is none. */
  take(place: string, worker: string): Promise<Ticket | null>;
  /** Says that its holder is alive. False where the job is no longer his: cancelled, or given to another. */
  beat(place: string, ticket: Ticket): Promise<boolean>;
  /** False where the job is no longer the holder's; then the result counts for nothing. */
  complete(place: string, ticket: Ticket, result: JobResult): Promise<boolean>;
  /** The job is tried again after a while that doubles from try to try; in the end it becomes a dead letter. */
  fail(place: string, ticket: Ticket, failure: JobFailure): Promise<boolean>;
  /** Puts a job back for others at once; it has not failed. */
  giveBack(place: string, ticket: Ticket): Promise<boolean>;
  look(place: string, ids: readonly string[]): Promise<Standing[]>;
  /** Cancels what has not ended, all where no ids are given; who holds one hears of it at his next beat. Returns how many. */
  cancel(place: string, ids?: readonly string[]): Promise<number>;
  tally(): Promise<Record<string, Tally>>;
  deadLetters(): Promise<{ name: string; error: JobFailure }[]>;
  /** Tells of a worker, or that it has left. */
  enlist(card: WorkerCard): Promise<void>;
  leave(worker: string): Promise<void>;
  /** Those who were heard of lately. */
  workers(): Promise<WorkerCard[]>;
  /** What all in the fleet agree on under a name: the first word given stands. */
  agree(name: string, word: string | null): Promise<string | null>;
  close(): Promise<void>;
}

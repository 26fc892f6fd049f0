/** Many workers, one queue: jobs that come to the same whoever does them. */
export { checkJob, createJob, type Ground, hashOf, placeOf } from "./job.ts";
export type { JobFailure, JobState, Queue, Standing, Submission, Tally, Ticket } from "./queue.ts";
export {
  type Conditions,
  type Outcome,
  type Perform,
  work,
  type WorkerEvent,
  type WorkerParts,
} from "./worker.ts";
export { createDispatcher, type Dispatcher, type DispatcherParts } from "./dispatcher.ts";

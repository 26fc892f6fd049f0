import type { Edge } from "../contracts/lifecycle.ts";
import type { Store } from "../urza/mod.ts";
import type { LogLengths } from "./checkpoint.ts";
import type { Log } from "./journal.ts";

/** What a session needs of the place where a run is kept. */
export interface RunFiles extends Log {
  readonly store: Store;
  /** Lengths of the logs, safe on disk. */
  syncLogs(): LogLengths;
  /** Cuts the logs back to what a checkpoint had seen. */
  truncateLogs(lengths: LogLengths): void;
  /** Has a store that other machines share hold what they need to go on with the run: its files and its logs so far. */
  mirror?(): Promise<void>;
  /** The edges logged so far. */
  edges(): Edge[];
}

import type { Reading, Work } from "./serve.ts";

/** An engine that runs by itself somewhere and measures when told. */
export interface Seat {
  measure(work: Work): Promise<Reading>;
  /** Ids of its processes. */
  processes(): number[];
  close(): Promise<void>;
}

import { openStore } from "../../urza/adapters/open_store.ts";
import type { Store } from "../../urza/mod.ts";
import { usageError } from "../../util/errors.ts";

/** How long a server may be away before a job fails, in milliseconds; it is tried again then. */
const PATIENCE_MS = 300_000;

/**
 * Opens the store of a fleet: names in the fleet's own PostgreSQL, bytes where it has agreed on.
 *
 * @throws {UserError} where that makes no sense, or does not answer.
 */
export async function openFleetStore(
  url: string,
  blobs: string,
): Promise<{ store: Store; close(): Promise<void> }> {
  if (!/^(s3:\/\/[a-z0-9]|file:.)/.test(blobs)) {
    throw usageError(`--blobs: want s3://bucket/prefix or file:folder, got "${blobs}"`);
  }
  return await openStore({ kind: "postgres", url, blobs }, "", { patienceMs: PATIENCE_MS });
}

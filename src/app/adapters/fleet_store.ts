import { createFileStore } from "../../urza/adapters/files.ts";
import type { Store } from "../../urza/mod.ts";
import { usageError } from "../../util/errors.ts";

/** Opens the store that a fleet keeps its results in. @throws {UserError} where the place of blobs makes no sense. */
export function openFleetStore(
  _url: string,
  blobs: string,
): Promise<{ store: Store; close(): Promise<void> }> {
  if (!blobs.startsWith("file:")) {
    throw usageError(`--blobs: want s3://bucket/prefix or file:folder, got "${blobs}"`);
  }
  return Promise.resolve({ store: createFileStore(blobs.slice("file:".length)), close: async () => {} });
}

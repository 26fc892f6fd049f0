import { openStore } from "../../urza/adapters/open_store.ts";
import type { Store } from "../../urza/mod.ts";
import { usageError } from "../../util/errors.ts";

/** Opens the store that a fleet keeps its results in. @throws {UserError} where the place of blobs makes no sense. */
export async function openFleetStore(
  url: string,
  blobs: string,
): Promise<{ store: Store; close(): Promise<void> }> {
  if (!/^(s3:\/\/|file:)./.test(blobs)) {
    throw usageError(`--blobs: want s3://bucket/prefix or file:folder, got "${blobs}"`);
  }
  return await openStore({ kind: "postgres", url, blobs }, "");
}

import { createFileStore, fileMedium } from "../../urza/adapters/files.ts";
import { sqliteIndex } from "../../urza/adapters/sqlite_index.ts";
import {
  type Collected,
  type Contents,
  type Hash,
  listStore,
  type Verified,
  verifyStore,
} from "../../urza/mod.ts";
import type { Json } from "../../util/json.ts";
import { usageError } from "../../util/errors.ts";

/** The store of a run, to look after. */
export interface StoreFolder {
  readonly path: string;
  list(): Promise<Contents>;
  verify(repair: boolean): Promise<Verified>;
  collect(dryRun: boolean): Promise<Collected>;
}

/** Opens the store of a run folder, or a store's own folder. @throws {UserError} where there is none */
export function openStoreFolder(path: string): StoreFolder {
  const bare = path.replace(/\/+$/, "");
  const root = [`${bare}/store`, bare].find((folder) =>
    isFolder(`${folder}/blobs`) || isFolder(`${folder}/manifests`) || isFolder(`${folder}/records`)
  );
  if (root === undefined) {
    throw usageError(`store: want a run folder with a store in it, such as runs/cifar10-1, got "${path}"`);
  }
  const medium = fileMedium(root), index = sqliteIndex(root);
  return {
    path: root,
    list: () => listStore(medium, index),
    verify: (repair) => verifyStore(medium, index, { references, repair }),
    collect: (dryRun) => createFileStore(root).collect([], { dryRun }),
  };
}

/** Blobs of numbers, wherever a checkpoint keeps them. */
function references(kind: string, value: Json): Hash[] {
  if (kind !== "checkpoint" || typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    if (key !== "numbers" || !Array.isArray(item)) return references(kind, item);
    return item.filter((hash) => typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash)) as Hash[];
  });
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

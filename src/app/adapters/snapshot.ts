/** A folder as hashes in a store: what a worker leaves for whoever goes on, or wants the result. */
import { explainFileError } from "../../urza/adapters/file_errors.ts";
import { aboveOf, makeFolder, writeWhole } from "../../urza/adapters/whole_file.ts";
import type { Hash, Store } from "../../urza/mod.ts";
import { UserError } from "../../util/errors.ts";

/** Hashes by path, relative to the folder. */
export type Snapshot = Readonly<Record<string, Hash>>;

/** Written by a store for itself, and made anew by whoever opens it; what ends so is not whole yet. */
const NOT_KEPT = /(^|\/)store\/(tmp|pins|lock|gate|index[^/]*)$|\.tmp$/;
/** A blob's path ends in its hash. */
const BLOB = /(^|\/)blobs\/(?:.*\/)?([0-9a-f]{64})$/;

/** Contents of a folder at one moment: files by path, blobs by their hash alone where `known` has them. */
export function readFolder(folder: string, known: ReadonlySet<Hash>): Map<string, Uint8Array | Hash> {
  const found = new Map<string, Uint8Array | Hash>();
  const walk = (inner: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(`${folder}/${inner}`)) {
      const path = inner + name, hash = path.match(BLOB)?.[2];
      if (NOT_KEPT.test(path)) continue;
      if (isDirectory) walk(`${path}/`);
      else if (hash && known.has(hash)) found.set(path, hash);
      else found.set(path, Deno.readFileSync(`${folder}/${path}`));
    }
  };
  try {
    walk("");
  } catch (error) {
    throw explainFileError("read", folder, error);
  }
  return found;
}

/** Stores what was read; `known` learns the hashes. */
export async function storeFolder(
  files: ReadonlyMap<string, Uint8Array | Hash>,
  store: Store,
  known: Set<Hash>,
): Promise<Snapshot> {
  const snapshot: Record<string, Hash> = {};
  for (const [path, content] of files) {
    const hash = typeof content === "string" ? content : await store.put(content);
    known.add(hash);
    snapshot[path] = hash;
  }
  return snapshot;
}

/** Makes a folder what a snapshot says; whatever was in it is gone. */
export async function restoreFolder(snapshot: Snapshot, store: Store, folder: string): Promise<void> {
  removeFolder(folder);
  for (const [path, hash] of Object.entries(snapshot)) {
    if (path.split("/").some((part) => part === ".." || part === "") || path.includes("\\")) {
      throw new UserError(`snapshot: want paths within the folder, got "${path}"; submit the job anew`);
    }
    const bytes = await store.get(hash), target = `${folder}/${path}`;
    try {
      makeFolder(aboveOf(target));
      writeWhole(target, bytes);
    } catch (error) {
      throw explainFileError("write", target, error);
    }
  }
}

/** Removes a folder with all that is in it. */
export function removeFolder(folder: string): void {
  try {
    Deno.removeSync(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw explainFileError("write", folder, error);
  }
}

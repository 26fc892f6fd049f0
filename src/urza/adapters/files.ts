import { createStore } from "../create.ts";
import { guards } from "../lock.ts";
import type { Entry, Medium } from "../medium.ts";
import type { Store } from "../store.ts";
import { denoDisk, type Disk } from "./disk.ts";
import { explainFileError } from "./file_errors.ts";
import { sqliteIndex } from "./sqlite_index.ts";
import { aboveOf } from "./whole_file.ts";

/** Temporary files older than this belong to a writer that was killed. */
const STALE_TEMPORARY_MS = 3_600_000;
/** A file this old has had another time stamp than whatever replaces it, however coarse the file system's clock is. */
const SETTLED_MS = 2500;

/**
 * A store in a folder: `blobs/ab/<hash>`, `manifests/<kind>/<name>.json`, `records/<kind>/<hash>.json`; besides `tmp/`
 * for what is being written and `pins/` for blobs that nothing mentions yet. The folder is made when something is
 * written.
 */
export function createFileStore(root: string, now: () => number = Date.now): Store {
  return createStore(fileMedium(root), now, sqliteIndex(root));
}

/** Files under `root`, each written beside its place, synced, and renamed into it. */
export function fileMedium(root: string, disk: Disk = denoDisk): Medium {
  const locate = (path: string) => path === "" ? root : `${root}/${path}`;
  /** Folders whose own entry survives a power cut. */
  const safe = new Set<string>();

  /** Runs a file operation; where it fails, says so in the terms of the person at the terminal. */
  async function attempt<T>(operation: "read" | "write", path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw explainFileError(operation, locate(path), error);
    }
  }

  /** Makes a folder and those above it, and has them survive a power cut. Somebody else may have made it just now. */
  async function makeFolder(path: string): Promise<string> {
    const folder = locate(path);
    let made: boolean;
    try {
      made = await disk.makeFolder(folder);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await (path === "" ? makeParents(folder) : makeFolder(parentOf(path)));
      made = await disk.makeFolder(folder);
    }
    if (!made && safe.has(path)) return folder;
    if (path !== "") await makeFolder(parentOf(path));
    await disk.syncFolder(aboveOf(folder));
    safe.add(path);
    return folder;
  }

  async function makeParents(folder: string): Promise<void> {
    const above = aboveOf(folder);
    try {
      await disk.makeFolder(above);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) || above === folder) throw error;
      await makeParents(above);
      await disk.makeFolder(above);
    }
    await disk.syncFolder(aboveOf(above));
  }

  async function move(from: string, to: string): Promise<void> {
    const folder = await makeFolder(parentOf(to));
    await disk.rename(locate(from), locate(to));
    await disk.syncFolder(folder);
  }

  /** False where it was not there. */
  async function remove(path: string): Promise<boolean> {
    return await unlessMissing(disk.remove(locate(path)).then(() => true)) ?? false;
  }

  async function walk(folder: string): Promise<string[]> {
    const found = await unlessMissing(disk.list(locate(folder))) ?? [];
    const paths = found.map(async ({ name, isDirectory }) => {
      const path = `${folder}/${name}`;
      return isDirectory ? await walk(path) : [path];
    });
    return (await Promise.all(paths)).flat();
  }

  const list = (folder: string) => attempt("read", folder, async () => (await walk(folder)).sort());

  async function entryOf(path: string): Promise<Entry | null> {
    const stat = await attempt("read", path, () => unlessMissing(disk.stat(locate(path))));
    if (stat === null) return null;
    const settled = Date.now() - stat.modifiedMs > SETTLED_MS;
    return { path, sizeBytes: stat.sizeBytes, stamp: settled ? stat.identity : null };
  }

  /**
   * Locks one file, having passed the gate of another: who waits to be alone in there closes the gate behind him, so that
   * those who share cannot keep him out for ever. Callers come here one at a time, as waiting for a file's lock takes a
   * thread, of which there are not many.
   */
  const inTurn = oneAtATime();
  const lock = (exclusive: boolean) =>
    inTurn(() =>
      attempt("write", "lock", async () => {
        const folder = await makeFolder("");
        const leaveGate = await disk.lock(`${folder}/gate`, true);
        try {
          return await disk.lock(`${folder}/lock`, exclusive);
        } finally {
          leaveGate();
        }
      })
    );

  return {
    locate,
    list,
    ...guards(lock),

    write: (path, bytes) =>
      attempt("write", path, async () => {
        const temporary = `tmp/${crypto.randomUUID()}`;
        await makeFolder("tmp");
        try {
          await writeSynced(await disk.create(locate(temporary)), bytes);
          await move(temporary, path);
        } catch (error) {
          await remove(temporary).catch(() => {});
          throw error;
        }
      }),

    read: (path) => attempt("read", path, () => unlessMissing(disk.read(locate(path)))),

    entry: entryOf,

    remove: (path) =>
      attempt("write", path, async () => {
        // Whoever has removed it may not have had the time to sync.
        await remove(path);
        await unlessMissing(disk.syncFolder(locate(parentOf(path))));
      }),

    discard: (path) => attempt("write", path, async () => void await remove(path)),

    mark: (path) =>
      attempt("write", path, async () => {
        await makeFolder(parentOf(path));
        (await disk.create(locate(path))).close();
      }),

    setAside: (path) => attempt("write", path, () => move(path, `damaged/${path}`)),

    entries: async (folder) => {
      const entries = await Promise.all((await list(folder)).map(entryOf));
      return entries.filter((entry) => entry !== null);
    },

    sweep: () =>
      attempt("write", "tmp", async () => {
        let swept = 0;
        for (const path of await walk("tmp")) {
          const stat = await unlessMissing(disk.stat(locate(path)));
          if (stat === null || Date.now() - stat.modifiedMs < STALE_TEMPORARY_MS) continue;
          if (await remove(path)) swept++;
        }
        return swept;
      }),
  };
}

/** A function that runs pieces of work one after the other, in the order they came. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
}

async function writeSynced(file: Awaited<ReturnType<Disk["create"]>>, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  } finally {
    file.close();
  }
}

/** `a` of `a/b`, the root of `a`. */
function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

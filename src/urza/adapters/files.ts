import { createStore } from "../create.ts";
import { type Medium, oneAtATime } from "../medium.ts";
import type { Store } from "../store.ts";
import { explainFileError } from "./file_errors.ts";

/** Temporary files older than this belong to a writer that was killed. */
const STALE_TEMPORARY_MS = 3_600_000;

type Open = (path: string, options: Deno.OpenOptions) => Promise<Deno.FsFile>;

/**
 * A store in a folder: `blobs/ab/<hash>`, `manifests/<kind>/<name>.json`, `records/<kind>/<hash>.json`, and `tmp/` for
 * what is being written. The folder is made when something is written.
 */
export function createFileStore(root: string, now: () => number = Date.now): Store {
  return createStore(fileMedium(root), now);
}

/** Files under `root`, each written beside its place, synced, and renamed into it. `open` makes the temporary file. */
export function fileMedium(root: string, open: Open = Deno.open): Medium {
  const locate = (path: string) => `${root}/${path}`;
  const inTurn = oneAtATime();

  /** Runs a file operation; where it fails, says so in the terms of the person at the terminal. */
  async function attempt<T>(operation: "read" | "write", path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw explainFileError(operation, locate(path), error);
    }
  }

  async function makeFolder(path: string): Promise<string> {
    const folder = locate(path);
    await Deno.mkdir(folder, { recursive: true });
    return folder;
  }

  return {
    locate,

    write: (path, bytes) =>
      attempt("write", path, async () => {
        const folder = await makeFolder(path.slice(0, path.lastIndexOf("/")));
        const temporary = `${await makeFolder("tmp")}/${crypto.randomUUID()}`;
        try {
          await writeSynced(await open(temporary, { write: true, createNew: true }), bytes);
          await Deno.rename(temporary, locate(path));
        } catch (error) {
          await ignoreMissing(Deno.remove(temporary));
          throw error;
        }
        await syncFolder(folder);
      }),

    read: (path) => attempt("read", path, () => ignoreMissing(Deno.readFile(locate(path)))),

    remove: (path) => attempt("write", path, async () => void await ignoreMissing(Deno.remove(locate(path)))),

    list: (folder) => attempt("read", folder, async () => (await walk(root, folder)).sort()),

    sweep: () =>
      attempt("write", "tmp", async () => {
        let swept = 0;
        for (const path of await walk(root, "tmp")) {
          const info = await ignoreMissing(Deno.stat(locate(path)));
          if (!info?.mtime || Date.now() - info.mtime.getTime() < STALE_TEMPORARY_MS) continue;
          await ignoreMissing(Deno.remove(locate(path)));
          swept++;
        }
        return swept;
      }),

    // The lock of a file ends with its process, so a kill leaves none behind.
    exclusively: (work) =>
      inTurn(async () => {
        const file = await attempt("write", "lock", async () => {
          const lock = await Deno.open(`${await makeFolder("")}lock`, { write: true, create: true });
          await lock.lock(true);
          return lock;
        });
        try {
          return await work();
        } finally {
          file.close();
        }
      }),
  };
}

async function writeSynced(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  } finally {
    file.close();
  }
}

/** Makes a rename survive a power cut. Windows cannot open folders, and does not need it. */
async function syncFolder(folder: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  const file = await Deno.open(folder);
  try {
    await file.sync();
  } finally {
    file.close();
  }
}

async function walk(root: string, folder: string): Promise<string[]> {
  const paths: string[] = [];
  try {
    for await (const entry of Deno.readDir(`${root}/${folder}`)) {
      const path = `${folder}/${entry.name}`;
      paths.push(...entry.isDirectory ? await walk(root, path) : [path]);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return paths;
}

async function ignoreMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

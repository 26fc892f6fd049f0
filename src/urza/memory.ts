import { createStore } from "./create.ts";
import { createLock, guards } from "./lock.ts";
import type { Medium } from "./medium.ts";
import type { Store } from "./store.ts";

/**
 * A store that lives and dies with the page or process.
 *
 * @example
 * ```ts
 * import { createMemoryStore } from "./memory.ts";
 * const store = createMemoryStore();
 * const weights = await store.put(new Uint8Array([1, 2, 3]));
 * await store.writeManifest("checkpoint", "tick-0001", { step: 100, tensors: { weights } });
 * if ((await store.get(weights))[2] !== 3) throw new Error();
 * ```
 */
export function createMemoryStore(now: () => number = Date.now): Store {
  return createStore(memoryMedium(), now);
}

/** Bytes in a map; copied in and out, so that nobody changes what is stored. */
export function memoryMedium(): Medium {
  const files = new Map<string, { bytes: Uint8Array; version: number }>();
  let versions = 0;
  const put = (path: string, bytes: Uint8Array) => {
    files.set(path, { bytes: bytes.slice(), version: ++versions });
    return Promise.resolve();
  };
  const drop = (path: string) => Promise.resolve(void files.delete(path));
  const entry = (path: string) => {
    const file = files.get(path);
    return file ? { path, sizeBytes: file.bytes.length, stamp: `${file.version}` } : null;
  };
  const list = (folder: string) => [...files.keys()].filter((path) => path.startsWith(`${folder}/`)).sort();
  return {
    write: put,
    mark: (path) => put(path, new Uint8Array()),
    read: (path) => Promise.resolve(files.get(path)?.bytes.slice() ?? null),
    entry: (path) => Promise.resolve(entry(path)),
    remove: drop,
    discard: drop,
    setAside: async (path) => {
      const file = files.get(path);
      if (file) await put(`damaged/${path}`, file.bytes);
      await drop(path);
    },
    list: (folder) => Promise.resolve(list(folder)),
    entries: (folder) => Promise.resolve(list(folder).map((path) => entry(path)!)),
    sweep: () => Promise.resolve(0),
    ...guards(createLock()),
    locate: (path) => `memory:${path}`,
  };
}

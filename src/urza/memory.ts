import { createStore } from "./create.ts";
import { type Medium, oneAtATime } from "./medium.ts";
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
  const files = new Map<string, Uint8Array>();
  return {
    write: (path, bytes) => Promise.resolve(void files.set(path, bytes.slice())),
    read: (path) => Promise.resolve(files.get(path)?.slice() ?? null),
    remove: (path) => Promise.resolve(void files.delete(path)),
    list: (folder) =>
      Promise.resolve([...files.keys()].filter((path) => path.startsWith(`${folder}/`)).sort()),
    sweep: () => Promise.resolve(0),
    exclusively: oneAtATime(),
    locate: (path) => `memory:${path}`,
  };
}

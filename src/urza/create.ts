import { DamageError, UserError } from "../util/errors.ts";
import { sha256 } from "../util/hash.ts";
import type { Json } from "../util/json.ts";
import type { Index } from "./index.ts";
import type { Entry, Medium } from "./medium.ts";
import { blobPath, manifestFolder, manifestPath, mentionsIn, nameIn } from "./paths.ts";
import { createPins } from "./pins.ts";
import { createRecords } from "./records.ts";
import { seal, unseal } from "./seal.ts";
import type { Collected, Hash, Store } from "./store.ts";

/** A store on a medium, with an index where there is one; `now` is in milliseconds since 1970. */
export function createStore(
  medium: Medium,
  now: () => number = Date.now,
  index: Index | null = null,
): Store {
  const pins = createPins(medium, now, crypto.randomUUID());

  async function read(path: string): Promise<Json | undefined> {
    const bytes = await medium.read(path);
    return bytes === null ? undefined : await unseal(bytes, medium.locate(path));
  }

  async function write(path: string, value: Json): Promise<void> {
    await medium.write(path, await seal(value));
    await pins.release(mentionsIn(path + JSON.stringify(value)));
  }

  /** Blobs that no manifest or record mentions, and nobody holds. */
  async function unwanted(keep: Iterable<Hash>): Promise<Entry[]> {
    const wanted = new Set([...keep, ...await pins.held()]);
    for (const path of [...await medium.list("manifests"), ...await medium.list("records")]) {
      for (const hash of mentionsIn(path + JSON.stringify(await read(path)))) wanted.add(hash);
    }
    return (await medium.entries("blobs")).filter(({ path }) => !wanted.has(nameIn(path)));
  }

  return {
    async put(bytes) {
      const hash = await sha256(bytes);
      const path = blobPath(hash);
      await medium.shared(async () => {
        await pins.add(hash);
        const present = await medium.read(path);
        if (present === null || !sameBytes(present, bytes)) await medium.write(path, bytes);
      });
      return hash;
    },

    async get(hash) {
      const path = blobPath(hash);
      const bytes = await medium.read(path);
      if (bytes === null) {
        throw new DamageError(
          `urza: want blob ${hash} at ${medium.locate(path)}, got no such file; the store is incomplete`,
        );
      }
      const actual = await sha256(bytes);
      if (actual !== hash) {
        throw new DamageError(
          `urza: want content with SHA-256 ${hash} in ${medium.locate(path)}, got ${actual}; ` +
            `the file is damaged, restore it or go back to an older checkpoint`,
        );
      }
      return bytes;
    },

    has: async (hash) => await medium.entry(blobPath(hash)) !== null,

    async writeManifest(kind, name, value) {
      const path = manifestPath(kind, name);
      await medium.shared(() => write(path, value));
    },

    async readManifest(kind, name) {
      const path = manifestPath(kind, name);
      const value = await read(path);
      if (value !== undefined) return value;
      throw new UserError(`urza: want ${kind} "${name}" at ${medium.locate(path)}, got no such file`);
    },

    listManifests: async (kind) => (await medium.list(manifestFolder(kind))).map(nameIn).sort(),

    async removeManifest(kind, name) {
      const path = manifestPath(kind, name);
      if (await medium.entry(path) !== null) await medium.shared(() => medium.remove(path));
    },

    records: createRecords({ medium, read, write, index }, now),

    collect: (keep = [], { dryRun = false } = {}) =>
      medium.exclusively(async () => {
        const blobs = await unwanted(keep);
        const collected: Collected = { blobs: blobs.length, temporaries: 0, sizeBytes: 0 };
        for (const { path, sizeBytes } of blobs) {
          collected.sizeBytes += sizeBytes;
          if (!dryRun) await medium.discard(path);
        }
        if (!dryRun) collected.temporaries = await medium.sweep();
        return collected;
      }),
  };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

import { UserError } from "../util/errors.ts";
import { sha256 } from "../util/hash.ts";
import type { Json } from "../util/json.ts";
import type { Medium } from "./medium.ts";
import { createRecords } from "./records.ts";
import { seal, unseal } from "./seal.ts";
import type { Collected, Hash, Store } from "./store.ts";

/** A store on a medium; `now` is in milliseconds since 1970. */
export function createStore(medium: Medium, now: () => number = Date.now): Store {
  async function read(path: string): Promise<Json | undefined> {
    const bytes = await medium.read(path);
    return bytes === null ? undefined : await unseal(bytes, medium.locate(path));
  }

  async function write(path: string, value: Json): Promise<void> {
    await medium.write(path, await seal(value));
  }

  const records = createRecords({ read, write, list: medium.list, exclusively: medium.exclusively }, now);

  /** Every hash that a manifest or record mentions. */
  async function mentioned(): Promise<Set<Hash>> {
    const hashes = new Set<Hash>();
    for (const path of [...await medium.list("manifests"), ...await medium.list("records")]) {
      const text = path + JSON.stringify(await read(path));
      for (const hash of text.match(/\b[0-9a-f]{64}\b/g) ?? []) hashes.add(hash);
    }
    return hashes;
  }

  return {
    async put(bytes) {
      const hash = await sha256(bytes);
      const path = blobPath(hash);
      const present = await medium.read(path);
      if (present === null || !sameBytes(present, bytes)) await medium.write(path, bytes);
      return hash;
    },

    async get(hash) {
      const path = blobPath(hash);
      const bytes = await medium.read(path);
      if (bytes === null) {
        throw new UserError(
          `urza: want blob ${hash} at ${medium.locate(path)}, got no such file; the store is incomplete`,
        );
      }
      const actual = await sha256(bytes);
      if (actual !== hash) {
        throw new UserError(
          `urza: want content with SHA-256 ${hash} in ${medium.locate(path)}, got ${actual}; ` +
            `the file is damaged, restore it or go back to an older checkpoint`,
        );
      }
      return bytes;
    },

    has: async (hash) => await medium.read(blobPath(hash)) !== null,

    writeManifest: async (kind, name, value) => await write(manifestPath(kind, name), value),

    async readManifest(kind, name) {
      const path = manifestPath(kind, name);
      const value = await read(path);
      if (value !== undefined) return value;
      throw new UserError(`urza: want ${kind} "${name}" at ${medium.locate(path)}, got no such file`);
    },

    async listManifests(kind) {
      const folder = `manifests/${segment(kind)}`;
      return (await medium.list(folder)).map((path) => path.slice(folder.length + 1, -".json".length)).sort();
    },

    removeManifest: async (kind, name) => await medium.remove(manifestPath(kind, name)),

    records,

    collect: (keep = []) =>
      medium.exclusively(async () => {
        const wanted = new Set([...await mentioned(), ...keep]);
        const collected: Collected = { blobs: 0, temporaries: await medium.sweep(), sizeBytes: 0 };
        for (const path of await medium.list("blobs")) {
          if (wanted.has(path.slice(path.lastIndexOf("/") + 1))) continue;
          collected.blobs++;
          collected.sizeBytes += (await medium.read(path))?.length ?? 0;
          await medium.remove(path);
        }
        return collected;
      }),
  };
}

function blobPath(hash: Hash): string {
  if (!/^[0-9a-f]{64}$/.test(hash)) {
    throw new Error(`urza: want a hash of 64 hexadecimal digits, got "${hash}"`);
  }
  return `blobs/${hash.slice(0, 2)}/${hash}`;
}

function manifestPath(kind: string, name: string): string {
  return `manifests/${segment(kind)}/${segment(name)}.json`;
}

/** Names become file names, so nothing in them may lead elsewhere. */
function segment(name: string): string {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) {
    throw new Error(`urza: want a name of letters, digits, dots, dashes and underscores, got "${name}"`);
  }
  return name;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

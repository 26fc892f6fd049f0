import type { Medium } from "./medium.ts";
import type { Hash } from "./store.ts";

/** How long a blob is kept for whoever has put it and not yet written what mentions it. */
export const PIN_MS = 3_600_000;

const FORM = /^pins\/([0-9a-f]{64})\.(\d+)\.[\w-]+$/;

/**
 * Marks on blobs that somebody has put and nothing mentions yet: files `pins/<hash>.<until>.<owner>`. They keep
 * collectors in other processes from taking a blob away between `put` and the manifest that names it. A power cut may
 * take them, and then it has taken their owner, too.
 */
export interface Pins {
  /** Before the blob is looked for; under the shared lock. */
  add(hash: Hash): Promise<void>;
  /** After a text that mentions hashes is safe: as many puts of each are done with as there are mentions. */
  release(mentions: readonly Hash[]): Promise<void>;
  /** Hashes that anybody holds; pins that have run out are removed. Under the exclusive lock. */
  held(): Promise<Set<Hash>>;
}

/** The pins of one writer, named `owner`; `now` is in milliseconds since 1970. */
export function createPins(medium: Medium, now: () => number, owner: string): Pins {
  const mine = new Map<Hash, { path: string; until: number; puts: number }>();
  let made = 0;
  return {
    async add(hash) {
      const pin = mine.get(hash);
      if (pin && pin.until - now() > PIN_MS / 2) return void pin.puts++;
      const until = now() + PIN_MS, path = `pins/${hash}.${until}.${owner}-${made++}`;
      mine.set(hash, { path, until, puts: 1 + (pin?.puts ?? 0) });
      try {
        await medium.mark(path);
      } catch (error) {
        mine.delete(hash);
        throw error;
      }
      if (pin) await medium.discard(pin.path);
    },

    async release(mentions) {
      for (const hash of mentions) {
        const pin = mine.get(hash);
        if (pin === undefined || --pin.puts > 0) continue;
        mine.delete(hash);
        await medium.discard(pin.path);
      }
    },

    async held() {
      const hashes = new Set<Hash>();
      for (const path of await medium.list("pins")) {
        const [, hash, until] = path.match(FORM) ?? [];
        if (hash !== undefined && Number(until) > now()) hashes.add(hash);
        else await medium.discard(path);
      }
      return hashes;
    },
  };
}

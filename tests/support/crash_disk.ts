import type { Disk } from "../../src/urza/adapters/disk.ts";
import { createLock, type Lock } from "../../src/urza/lock.ts";

/** Thrown by every step of a process that has been killed, or whose machine has lost its power. */
export class Crash extends Error {}

interface File {
  /** As programs see it. */
  bytes: number[];
  /** As it would be found after a power cut, if its entry is; null: anything may be found. */
  synced: number[] | null;
}
type Folder = {
  entries: Map<string, Node>;
  /** What of the entries survives a power cut for certain, and what was done since, in order. */
  synced: Map<string, Node>;
  since: { name: string; node: Node | null }[];
};
type Node = { file: File } | { folder: Folder };

const newFolder = (): Folder => ({ entries: new Map(), synced: new Map(), since: [] });

/**
 * A disk in memory that forgets at a power cut what POSIX lets it forget: contents that were not synced come back cut
 * short, as zeros or empty; of the changes to a folder since its last sync, any subset has happened.
 */
export class CrashDisk {
  #root = newFolder();
  #locks = new Map<string, Lock>();

  /** The disk as one process sees it, which crashes in the place of its step number `steps`; Infinity: never. */
  process(steps: number): Disk & { taken: () => number; crashed: () => boolean } {
    // deno-lint-ignore no-this-alias -- the methods below are those of another object
    const this_ = this;
    let taken = 0, crashed = false;
    /** `half` is what a write has done when the crash comes in the middle of it. */
    const step = (half: () => void = () => {}) => {
      if (crashed || taken >= steps) {
        if (!crashed) half();
        crashed = true;
        throw new Crash();
      }
      taken++;
    };
    const alive = () => {
      if (crashed) throw new Crash();
    };
    return {
      taken: () => taken,
      crashed: () => crashed,
      async makeFolder(path) {
        step();
        const { folder, name } = await this_.#above(path);
        if (folder.entries.has(name)) return false;
        this_.#set(folder, name, { folder: newFolder() });
        return true;
      },
      async create(path) {
        step();
        const { folder, name } = await this_.#above(path);
        if (folder.entries.has(name)) throw new Deno.errors.AlreadyExists(path);
        const file: File = { bytes: [], synced: null };
        this_.#set(folder, name, { file });
        return {
          write(bytes) {
            const half = Math.ceil(bytes.length / 2);
            step(() => file.bytes.push(...bytes.subarray(0, half)));
            file.bytes.push(...bytes.subarray(0, half));
            file.synced = null;
            return Promise.resolve(half);
          },
          sync() {
            step();
            file.synced = [...file.bytes];
            return Promise.resolve();
          },
          close() {},
        };
      },
      async rename(from, to) {
        step();
        const source = await this_.#above(from), target = await this_.#above(to);
        const node = source.folder.entries.get(source.name);
        if (node === undefined) throw new Deno.errors.NotFound(from);
        this_.#set(target.folder, target.name, node);
        this_.#set(source.folder, source.name, null);
      },
      async remove(path) {
        step();
        const { folder, name } = await this_.#above(path);
        if (!folder.entries.has(name)) throw new Deno.errors.NotFound(path);
        this_.#set(folder, name, null);
      },
      async syncFolder(path) {
        step();
        const folder = await this_.#folder(path);
        folder.synced = new Map(folder.entries);
        folder.since = [];
      },
      async read(path) {
        alive();
        return Uint8Array.from((await this_.#file(path)).bytes);
      },
      async list(path) {
        alive();
        return [...(await this_.#folder(path)).entries].map(([name, node]) => ({
          name,
          isDirectory: "folder" in node,
        }));
      },
      async stat(path) {
        alive();
        const { bytes } = await this_.#file(path);
        return { sizeBytes: bytes.length, modifiedMs: Infinity, identity: "" };
      },
      async lock(path, exclusive) {
        alive();
        if (!this_.#locks.has(path)) this_.#locks.set(path, createLock());
        return await this_.#locks.get(path)!(exclusive);
      },
    };
  }

  /** All processes have ended; what they did is there. */
  restart(): void {
    this.#locks.clear();
  }

  /** The power has failed; `draw` decides what is lost: a number of at least 0 and less than its argument. */
  cutPower(draw: (choices: number) => number): void {
    this.restart();
    const survive = (node: Node): Node => {
      if ("folder" in node) return { folder: lose(node.folder) };
      const { bytes, synced } = node.file;
      const zeros = bytes.map(() => 0), cut = bytes.slice(0, draw(bytes.length + 1));
      const found = synced ?? [bytes, zeros, cut][draw(3)];
      return { file: { bytes: [...found], synced: [...found] } };
    };
    const lose = (folder: Folder): Folder => {
      const found = new Map(folder.synced);
      for (const { name, node } of folder.since) {
        if (draw(2) === 0) continue;
        if (node === null) found.delete(name);
        else found.set(name, node);
      }
      const entries = new Map([...found].map(([name, node]) => [name, survive(node)]));
      return { entries, synced: new Map(entries), since: [] };
    };
    this.#root = lose(this.#root);
  }

  #set(folder: Folder, name: string, node: Node | null): void {
    if (node === null) folder.entries.delete(name);
    else folder.entries.set(name, node);
    folder.since.push({ name, node });
  }

  #node(path: string): Node {
    let node: Node = { folder: this.#root };
    for (const name of path.split("/").filter((part) => part !== "")) {
      const next: Node | undefined = "folder" in node ? node.folder.entries.get(name) : undefined;
      if (next === undefined) throw new Deno.errors.NotFound(path);
      node = next;
    }
    return node;
  }

  async #folder(path: string): Promise<Folder> {
    await null;
    const node = this.#node(path);
    if ("folder" in node) return node.folder;
    throw new Deno.errors.NotADirectory(path);
  }

  async #file(path: string): Promise<File> {
    await null;
    const node = this.#node(path);
    if ("file" in node) return node.file;
    throw new Deno.errors.IsADirectory(path);
  }

  async #above(path: string): Promise<{ folder: Folder; name: string }> {
    const at = path.lastIndexOf("/");
    return { folder: await this.#folder(path.slice(0, at)), name: path.slice(at + 1) };
  }
}

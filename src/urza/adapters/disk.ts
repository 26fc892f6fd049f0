/** A file being written. */
export interface DiskFile {
  /** Writes some of the bytes; returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Makes what was written survive a power cut. */
  sync(): Promise<void>;
  close(): void;
}

/** What a file store does to a disk, one call a step: between any two of them the power may fail. */
export interface Disk {
  /** Makes a folder in one that there is; false where it was there. */
  makeFolder(path: string): Promise<boolean>;
  /** Makes a file that was not there. */
  create(path: string): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes what was made, renamed and removed in a folder survive a power cut. */
  syncFolder(path: string): Promise<void>;
  read(path: string): Promise<Uint8Array>;
  list(path: string): Promise<{ name: string; isDirectory: boolean }[]>;
  /** `identity` differs for files whose content differs, unless they were written within the clock's resolution. */
  stat(path: string): Promise<{ sizeBytes: number; modifiedMs: number; identity: string }>;
  /** Waits for a lock that ends with the process, and makes its file; resolves to what gives it back. */
  lock(path: string, exclusive: boolean): Promise<() => void>;
}

/** The disk as Deno sees it. Errors are Deno's own. */
export const denoDisk: Disk = {
  async makeFolder(path) {
    try {
      await Deno.mkdir(path);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists && (await Deno.stat(path)).isDirectory) return false;
      throw error;
    }
  },

  async create(path) {
    return await Deno.open(path, { write: true, createNew: true });
  },

  rename: Deno.rename,

  remove: (path) => Deno.remove(path),

  // Windows cannot open folders, and does not need it.
  async syncFolder(path) {
    if (Deno.build.os === "windows") return;
    const file = await Deno.open(path);
    try {
      await file.sync();
    } finally {
      file.close();
    }
  },

  read: (path) => Deno.readFile(path),

  list: (path) => Array.fromAsync(Deno.readDir(path)),

  // deno-lint-ignore require-await -- asynchronous calls take ten times as long, and a store asks for every file it lists
  async stat(path) {
    const { size, mtime, ctime, ino } = Deno.statSync(path);
    const modifiedMs = mtime?.getTime() ?? Infinity;
    const identity = `${ino}-${size}-${modifiedMs}-${ctime?.getTime()}`;
    return { sizeBytes: size, modifiedMs, identity };
  },

  async lock(path, exclusive) {
    const file = await Deno.open(path, { read: true, write: true, create: true });
    try {
      await file.lock(exclusive);
    } catch (error) {
      file.close();
      throw error;
    }
    return () => file.close();
  },
};

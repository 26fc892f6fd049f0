/**
 * What a power cut would leave of real folders. `watchDisk` keeps, in a folder beside them, what a process has synced;
 * `cutPower` then puts the folders into a state in which a machine might find them.
 */

/** What a synced folder holds: name, inode, and whether that is a folder. */
type Entries = Record<string, { ino: number; folder: boolean }>;

const fileRecord = (ino: number) => `file-${ino}`;
const folderRecord = (ino: number) => `folder-${ino}`;

function unlessMissing<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function entriesOf(path: string): Entries {
  return Object.fromEntries([...Deno.readDirSync(path)].map(({ name, isDirectory }) => [
    name,
    { ino: Deno.statSync(`${path}/${name}`).ino!, folder: isDirectory },
  ]));
}

/** From now on keeps in `records` whatever this process syncs, of files and of folders. */
export function watchDisk(records: string): void {
  const paths = new WeakMap<Deno.FsFile, string>();
  // Taken before they are replaced: the records are no part of what is watched.
  const { openSync, open, mkdir, mkdirSync } = Deno, { sync, syncSync } = Deno.FsFile.prototype;
  const keep = (name: string, bytes: Uint8Array) => {
    Deno.writeFileSync(`${records}/${name}.new`, bytes);
    Deno.renameSync(`${records}/${name}.new`, `${records}/${name}`);
  };
  const forget = (name: string) => void unlessMissing(() => Deno.removeSync(`${records}/${name}`));
  const opened = (file: Deno.FsFile, path: string | URL) => {
    paths.set(file, String(path));
    const { size, ino, isFile } = file.statSync();
    // A new file may have the inode of an old one.
    if (isFile && size === 0) forget(fileRecord(ino!));
    return file;
  };
  const synced = (file: Deno.FsFile) => {
    const path = paths.get(file)!, { ino, isDirectory } = file.statSync();
    if (isDirectory) keep(folderRecord(ino!), new TextEncoder().encode(JSON.stringify(entriesOf(path))));
    // What is synced is the file, whatever it is called by now.
    else keep(fileRecord(ino!), Deno.readFileSync(`/proc/self/fd/${descriptorOf(ino!)}`));
  };
  const made = (path: string | URL) => forget(folderRecord(Deno.statSync(path).ino!));

  Deno.openSync = (path, options) => opened(openSync(path, options), path);
  Deno.open = async (path, options) => opened(await open(path, options), path);
  Deno.mkdirSync = (path, options) => {
    mkdirSync(path, options);
    made(path);
  };
  Deno.mkdir = async (path, options) => {
    await mkdir(path, options);
    made(path);
  };
  Deno.FsFile.prototype.syncSync = function () {
    syncSync.call(this);
    synced(this);
  };
  Deno.FsFile.prototype.sync = async function () {
    await sync.call(this);
    synced(this);
  };
}

/** A descriptor of this process that is open on an inode. */
function descriptorOf(ino: number): string {
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    if (unlessMissing(() => Deno.statSync(`/proc/self/fd/${name}`))?.ino === ino) return name;
  }
  throw new Error(`want an open file with inode ${ino}, got none`);
}

/**
 * Puts what is under `root` into a state in which a power cut might have left it: what was synced is there; of changes to a
 * folder since, any subset has happened; what was written since is there, cut short or zeros. `draw` gives a number of at
 * least 0 and less than its argument.
 */
export function cutPower(root: string, records: string, draw: (choices: number) => number): void {
  const record = (name: string) => unlessMissing(() => Deno.readFileSync(`${records}/${name}`));

  function contentOf(path: string | null, ino: number): Uint8Array {
    const synced = record(fileRecord(ino)), now = path === null ? null : Deno.readFileSync(path);
    const certain = synced?.length ?? 0, seen = now ?? synced ?? new Uint8Array();
    if (seen.length <= certain) return synced ?? seen;
    const rest = seen.slice(certain);
    const found = [rest, rest.map(() => 0), rest.subarray(0, draw(rest.length + 1))][draw(3)];
    return Uint8Array.of(...synced ?? [], ...found);
  }

  function rebuild(path: string | null, ino: number, target: string): void {
    const text = record(folderRecord(ino));
    const synced = text === null ? {} : JSON.parse(new TextDecoder().decode(text)) as Entries;
    const now = path === null ? synced : entriesOf(path);
    Deno.mkdirSync(target);
    for (const name of new Set([...Object.keys(synced), ...Object.keys(now)])) {
      const same = synced[name]?.ino === now[name]?.ino;
      const entry = same || draw(2) === 0 ? now[name] : synced[name];
      // SQLite syncs by its own means; what it keeps here is a cache.
      if (entry === undefined || name.startsWith("index.sqlite")) continue;
      const present = path !== null && now[name]?.ino === entry.ino ? `${path}/${name}` : null;
      if (entry.folder) rebuild(present, entry.ino, `${target}/${name}`);
      else Deno.writeFileSync(`${target}/${name}`, contentOf(present, entry.ino));
    }
  }

  const after = `${root}.after`;
  rebuild(root, Deno.statSync(root).ino!, after);
  Deno.removeSync(root, { recursive: true });
  Deno.renameSync(after, root);
  // Whatever is found has survived.
  for (const { name } of Deno.readDirSync(records)) Deno.removeSync(`${records}/${name}`);
  keepAll(root, records);
}

/** Records all there is as synced. */
function keepAll(path: string, records: string): void {
  const entries = entriesOf(path);
  Deno.writeTextFileSync(`${records}/${folderRecord(Deno.statSync(path).ino!)}`, JSON.stringify(entries));
  for (const [name, { ino, folder }] of Object.entries(entries)) {
    if (folder) keepAll(`${path}/${name}`, records);
    else Deno.copyFileSync(`${path}/${name}`, `${records}/${fileRecord(ino)}`);
  }
}

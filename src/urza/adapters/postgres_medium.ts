import { UserError } from "../../util/errors.ts";
import type { Entry, Medium } from "../medium.ts";
import type { Database } from "./database.ts";
import type { Heap } from "./heap.ts";

const isBlob = (path: string) => /^blobs(\/|$)/.test(path);
const under = (folder: string) => [`${folder}/`, `${folder}0`] as const; // "0" follows "/"

/**
 * A store whose files are rows of a database, the blobs excepted: of these the row says which object has the bytes. What
 * goes on under a lock is one transaction, so that who has lost the lock has changed nothing.
 */
export function postgresMedium(database: Database, heap: Heap): Medium {
  const { ask, transaction } = database;
  const shared = <T>(work: () => Promise<T>) => transaction(false, work);
  const exclusively = <T>(work: () => Promise<T>) => transaction(true, work);
  const locate = (path: string) => isBlob(path) ? heap.locate(path) : `${database.place}#${path}`;

  async function keyOf(path: string): Promise<string | null> {
    const rows = await ask((sql) => sql`select key from urza.blobs where path = ${path}`);
    return rows.length > 0 ? rows[0].key : null;
  }

  const writeBlob = (path: string, bytes: Uint8Array) =>
    shared(async () => {
      const key = `${path}.${crypto.randomUUID()}`;
      await heap.write(key, bytes);
      const [old] = await ask((sql) => sql`select key from urza.blobs where path = ${path} for update`);
      await ask((sql) =>
        sql`insert into urza.blobs (path, key, size_bytes) values (${path}, ${key}, ${bytes.length})
          on conflict (path) do update
          set key = excluded.key, size_bytes = excluded.size_bytes, version = excluded.version`
      );
      if (old) database.afterwards(() => heap.remove(old.key));
    });

  async function readBlob(path: string): Promise<Uint8Array | null> {
    for (let last: string | null = null;;) {
      const key = await keyOf(path);
      if (key === null || key === last) return null;
      const bytes = await heap.read(key);
      if (bytes !== null) return bytes;
      // It may have been replaced meanwhile.
      last = key;
    }
  }

  const dropBlob = (path: string) =>
    shared(async () => {
      const [old] = await ask((sql) => sql`delete from urza.blobs where path = ${path} returning key`);
      if (old) database.afterwards(() => heap.remove(old.key));
    });

  async function writeFile(path: string, bytes: Uint8Array): Promise<void> {
    await ask((sql) =>
      sql`insert into urza.files (path, bytes) values (${path}, ${bytes})
        on conflict (path) do update set bytes = excluded.bytes, version = excluded.version, facts = null`
    );
  }

  async function readFile(path: string): Promise<Uint8Array | null> {
    const rows = await ask((sql) => sql`select bytes from urza.files where path = ${path}`);
    return rows.length > 0 ? new Uint8Array(rows[0].bytes) : null;
  }

  async function remove(path: string): Promise<void> {
    if (isBlob(path)) return await dropBlob(path);
    await ask((sql) => sql`delete from urza.files where path = ${path}`);
  }

  async function entries(folder: string): Promise<Entry[]> {
    const [from, to] = under(folder);
    const rows = isBlob(folder)
      ? await ask((sql) =>
        sql`select path, size_bytes as size, version from urza.blobs
          where path >= ${from} and path < ${to} order by path`
      )
      : await ask((sql) =>
        sql`select path, length(bytes) as size, version from urza.files
          where path >= ${from} and path < ${to} order by path`
      );
    return rows.map(({ path, size, version }) => ({ path, sizeBytes: Number(size), stamp: `${version}` }));
  }

  async function entry(path: string): Promise<Entry | null> {
    const rows = isBlob(path)
      ? await ask((sql) => sql`select size_bytes as size, version from urza.blobs where path = ${path}`)
      : await ask((sql) => sql`select length(bytes) as size, version from urza.files where path = ${path}`);
    return rows.length === 0 ? null : { path, sizeBytes: Number(rows[0].size), stamp: `${rows[0].version}` };
  }

  return {
    locate,
    shared,
    exclusively,
    entries,
    entry,
    remove,
    discard: remove,
    write: (path, bytes) => isBlob(path) ? writeBlob(path, bytes) : writeFile(path, bytes),
    read: (path) => isBlob(path) ? readBlob(path) : readFile(path),
    list: async (folder) => (await entries(folder)).map(({ path }) => path),

    // Not part of a transaction: it must count even where the transaction that it is made in is done again.
    mark: async (path) => {
      await database.askApart((sql) =>
        sql`insert into urza.files (path, bytes) values (${path}, '') on conflict (path) do nothing`
      );
    },

    // Who waits here has the row to himself, or, where there is none yet, the right to make it.
    alone: (path, work, { skip = false } = {}) =>
      shared(async () => {
        const rows = skip
          ? await ask((sql) => sql`select 1 from urza.files where path = ${path} for update skip locked`)
          : await ask((sql) => sql`select 1 from urza.files where path = ${path} for update`);
        if (rows.length === 0 && skip) return null;
        if (rows.length === 0) {
          await ask((sql) => sql`select pg_advisory_xact_lock(hashtextextended(${path}, 0))`);
        }
        return await work();
      }),

    setAside: (path) =>
      shared(async () => {
        const aside = `damaged/${path}`;
        const bytes = await (isBlob(path) ? readBlob(path) : readFile(path));
        if (bytes !== null && isBlob(path)) await heap.write(`${aside}.${crypto.randomUUID()}`, bytes);
        if (bytes !== null && !isBlob(path)) await writeFile(aside, bytes);
        await remove(path);
      }),

    // Under the exclusive lock nobody uploads: what no row names was left behind.
    sweep: () =>
      exclusively(async () => {
        // As it is while nothing is committed: what is to go goes once it is.
        const rows = await database.askApart((sql) => sql`select key from urza.blobs`);
        const named = new Set(rows.map(({ key }) => key as string));
        const strays = (await heap.list("blobs")).filter((key) => !named.has(key));
        for (const key of strays) await heap.remove(key);
        return strays.length + await heap.sweep();
      }),
  };
}

/**
 * Has a store's place of blobs bear the store's name, so that no two stores collect each other's.
 *
 * @throws {UserError} where it bears another's
 */
export async function claimHeap(database: Database, heap: Heap): Promise<void> {
  const [{ id }] = await database.ask((sql) => sql`select id from urza.identity`);
  const text = (bytes: Uint8Array | null) => bytes === null ? null : new TextDecoder().decode(bytes).trim();
  const there = text(await heap.read("urza.txt"));
  if (there === null) await heap.write("urza.txt", new TextEncoder().encode(`${id}\n`));
  const owner = there ?? text(await heap.read("urza.txt"));
  if (owner === id) return;
  throw new UserError(
    `urza: want blobs of ${database.place} in ${
      heap.locate("")
    }, got those of another store; choose another prefix`,
  );
}

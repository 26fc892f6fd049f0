import { DatabaseSync } from "node:sqlite";
import { type Index, parseFacts, type Row } from "../index.ts";

/** What the tables below are; files of another version are made anew. */
const VERSION = 1;
/** As long as this, somebody else may be writing. */
const BUSY_MS = 2000;
/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const DAMAGED: readonly unknown[] = [11, 26];

/**
 * An index in the SQLite file `index.sqlite` of a store's folder. A file that is missing, damaged or of another version
 * is made anew; where it cannot be written, there is no index.
 */
export function sqliteIndex(root: string): Index {
  const path = `${root}/index.sqlite`;

  function reset(): void {
    for (const suffix of ["", "-journal"]) {
      try {
        Deno.removeSync(path + suffix);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) return;
      }
    }
  }

  /** Opened for each use, so that a store needs no closing; null where there is no index, and none can be made. */
  function attempt<T>(readOnly: boolean, work: (db: DatabaseSync) => T): T | null {
    for (const again of [true, false]) {
      let db: DatabaseSync | null = null;
      try {
        db = new DatabaseSync(path, { readOnly, timeout: BUSY_MS });
        db.exec("pragma trusted_schema = off");
        const { user_version: version } = db.prepare("pragma user_version").get() as { user_version: number };
        if (version !== VERSION) {
          if (readOnly) return null;
          create(db);
        }
        return work(db);
      } catch (error) {
        if (!again || !DAMAGED.includes((error as { errcode?: unknown }).errcode)) return null;
        db?.close();
        db = null;
        reset();
        if (readOnly) return null;
      } finally {
        db?.close();
      }
    }
    return null;
  }

  return {
    reset,

    recall(folder) {
      const rows =
        attempt(true, (db) =>
          db.prepare("select path, stamp, facts from files where path >= ? and path < ?")
            .all(`${folder}/`, `${folder}0`)) ?? []; // "0" follows "/"
      const known = new Map<string, Row>();
      for (const { path, stamp, facts } of rows as Record<"path" | "stamp" | "facts", string>[]) {
        const parsed = parseFacts(facts);
        if (parsed !== null) known.set(path, { path, stamp, facts: parsed });
      }
      return known;
    },

    change(remember, forget) {
      attempt(false, (db) => {
        db.exec("begin immediate");
        const put = db.prepare("insert or replace into files (path, stamp, facts) values (?, ?, ?)");
        const drop = db.prepare("delete from files where path = ?");
        for (const path of forget) drop.run(path);
        for (const { path, stamp, facts } of remember) put.run(path, stamp, JSON.stringify(facts));
        db.exec("commit");
      });
    },
  };
}

function create(db: DatabaseSync): void {
  db.exec(`
    begin immediate;
    drop table if exists files;
    create table files (path text primary key, stamp text not null, facts text not null) without rowid;
    pragma user_version = ${VERSION};
    commit;
  `);
}

import { type Index, parseFacts, type Row } from "../index.ts";
import type { Database } from "./database.ts";

/** Facts in the rows that they are about; a row that is written anew has none. */
export function postgresIndex({ ask }: Database): Index {
  return {
    async recall(folder) {
      const rows = await ask((sql) =>
        sql`select path, version::text as stamp, facts::text from urza.files
          where path >= ${`${folder}/`} and path < ${`${folder}0`} and facts is not null` // "0" follows "/"
      );
      const known = new Map<string, Row>();
      for (const { path, stamp, facts } of rows) {
        const parsed = parseFacts(facts);
        if (parsed !== null) known.set(path, { path, stamp, facts: parsed });
      }
      return known;
    },

    async change(remember) {
      const rows = remember.map(({ path, stamp, facts }) => ({ path, stamp, facts }));
      if (rows.length === 0) return;
      await ask((sql) =>
        sql`update urza.files f set facts = r.facts
          from jsonb_to_recordset(${
          JSON.stringify(rows)
        }::text::jsonb) as r(path text, stamp bigint, facts jsonb)
          where f.path = r.path and f.version = r.stamp`
      );
    },

    async reset() {
      await ask((sql) => sql`update urza.files set facts = null where facts is not null`);
    },
  };
}

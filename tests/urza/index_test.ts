import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { fileMedium } from "../../src/urza/adapters/files.ts";
import { sqliteIndex } from "../../src/urza/adapters/sqlite_index.ts";
import { createStore } from "../../src/urza/create.ts";
import { survey } from "../../src/urza/index.ts";
import type { Store } from "../../src/urza/store.ts";

const hashes = Array.from({ length: 6 }, (_, i) => `${i}`.repeat(64));

/** A store with six records, two of them VALIDATED, old enough to be indexed, and a count of the records read. */
async function withRecords(
  body: (
    bench: { root: string; store: Store; reads: () => number; age: () => Promise<void> },
  ) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    const medium = fileMedium(root);
    let reads = 0;
    const counting = { ...medium, read: (path: string) => (reads++, medium.read(path)) };
    const store = createStore(counting, Date.now, sqliteIndex(root));
    const age = async () => {
      const hourAgo = new Date(Date.now() - 3_600_000);
      for (const path of await medium.list("records")) await Deno.utime(`${root}/${path}`, hourAgo, hourAgo);
    };
    for (const hash of hashes) await store.records.register("kernel", hash, { name: "conv3" });
    for (const hash of hashes.slice(0, 2)) {
      await store.records.claim("kernel", hash, "w", 1000);
      await store.records.settle("kernel", hash, "w", "VALIDATED", null);
    }
    await age();
    const since = () => {
      const count = reads;
      reads = 0;
      return count;
    };
    since();
    await body({ root, store, reads: since, age });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const validated = async (store: Store) =>
  (await store.records.list("kernel", "VALIDATED")).map(({ hash }) => hash);

Deno.test("sqliteIndex() saves reading what has not changed, and only that", () =>
  withRecords(async ({ store, reads, age }) => {
    assertEquals([await validated(store), reads()], [hashes.slice(0, 2), 6 + 2]);
    assertEquals([await validated(store), reads()], [hashes.slice(0, 2), 2]);
    await store.records.move("kernel", hashes[0], "DEPLOYED", "in use");
    reads();
    assertEquals(await validated(store), [hashes[1]]);
    assertEquals(reads(), 1 + 1, "a young file is read, and not remembered");
    await age();
    await validated(store);
    reads();
    assertEquals([await validated(store), reads()], [[hashes[1]], 1]);
  }));

Deno.test("sqliteIndex() is made anew where it is missing, damaged, cut short or of another version", () =>
  withRecords(async ({ root, store, reads }) => {
    const path = `${root}/index.sqlite`;
    const damages: Record<string, () => void> = {
      missing: () => Deno.removeSync(path),
      "no database": () => Deno.writeTextFileSync(path, "x".repeat(5000)),
      "cut short": () => Deno.truncateSync(path, 4096),
      empty: () => Deno.truncateSync(path, 0),
      "another version": () => {
        const db = new DatabaseSync(path);
        db.exec("drop table files; create table other (a); pragma user_version = 99");
        db.close();
      },
      "other facts": () => {
        const db = new DatabaseSync(path);
        db.exec(`update files set facts = '{"state":3}'`);
        db.close();
      },
    };
    await validated(store);
    for (const [name, damage] of Object.entries(damages)) {
      damage();
      reads();
      assertEquals(await validated(store), hashes.slice(0, 2), name);
      assert(reads() > 2, name);
      assertEquals(await validated(store), hashes.slice(0, 2), name);
      assertEquals(reads(), 2, `${name}: indexed again`);
    }
  }));

Deno.test("sqliteIndex() of another folder, or written by somebody else, hides nothing", () =>
  withRecords(async ({ root, store }) => {
    await validated(store);
    const db = new DatabaseSync(`${root}/index.sqlite`);
    db.exec(`update files set facts = replace(facts, 'VALIDATED', 'RETIRED'), stamp = '1-2-3-4'`);
    db.close();
    assertEquals(await validated(store), hashes.slice(0, 2));
  }));

Deno.test("sqliteIndex() shows a damaged record as an error, not as none", () =>
  withRecords(async ({ root, store, age }) => {
    await validated(store);
    await Deno.writeTextFile(`${root}/records/kernel/${hashes[3]}.json`, "{}");
    await age();
    const found = await survey(fileMedium(root), sqliteIndex(root), "records");
    assertEquals(found.filter(({ facts }) => facts instanceof Error).map(({ path }) => path), [
      `records/kernel/${hashes[3]}.json`,
    ]);
    const listed = await validated(store).catch((error: Error) => error.message);
    assert(String(listed).includes("the file is damaged"), String(listed));
  }));

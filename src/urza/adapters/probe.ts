/** Whether the servers of a store can do its work, and what they lack for it. */
import postgres from "postgres";
import { UserError } from "../../util/errors.ts";
import { optionsOf } from "./database.ts";
import { fileMedium } from "./files.ts";
import { fileHeap } from "./heap.ts";
import { MIGRATIONS } from "./migrations.ts";
import { createPatience } from "./patience.ts";
import { explainPostgres } from "./postgres_errors.ts";
import { s3Heap } from "./s3.ts";

/** Random bytes that a look writes and reads back. */
const PROBE_BYTES = 1024;

/** Asks once. */
const impatiently = createPatience(0);

/**
 * Looks whether a database takes writes and has the store's tables. Changes nothing.
 *
 * @returns what was found, in words
 * @throws {UnavailableError} where it does not answer; {UserError} where it would not do
 */
export async function lookAtDatabase(url: string, deadlineMs: number): Promise<string> {
  const { options, place } = optionsOf(url, deadlineMs);
  const sql = postgres({ ...options, max: 1 });
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(Object.assign(new Error("no answer"), { code: "DEADLINE" })),
    deadlineMs,
  );
  async function ask(): Promise<{ version: number; reads: boolean }> {
    const [{ there, reads }] = await sql`
      select to_regclass('urza.migrations') is not null as there, current_setting('transaction_read_only') = 'on' as reads`;
    if (!there) return { version: 0, reads };
    const [{ version }] = await sql`select coalesce(max(version), 0) as version from urza.migrations`;
    return { version, reads };
  }
  try {
    const { version, reads } = await impatiently(
      `an answer from ${place}`,
      () => Promise.race([ask(), late.promise]),
      explainPostgres,
    );
    const fault = (got: string, cure: string) =>
      new UserError(`postgres: want ${place} ready, got ${got}; ${cure}`);
    if (reads) throw fault("a server that only reads", "name the primary");
    if (version < MIGRATIONS.length) {
      throw fault(
        version === 0 ? "no tables" : `tables of version ${version}, not ${MIGRATIONS.length}`,
        "main.ts services up makes them",
      );
    }
    if (version > MIGRATIONS.length) {
      throw fault(`tables of version ${version}, not ${MIGRATIONS.length}`, "use the Esper that made them");
    }
    return `tables of version ${version}`;
  } finally {
    clearTimeout(timer);
    await sql.end({ timeout: 0 });
  }
}

const folderOf = (place: string) => place.slice("file:".length);
const isFolder = (place: string) => place.startsWith("file:");

/**
 * Writes an object to a place of blobs, reads it back and removes it.
 *
 * @returns what was found, in words
 * @throws {UnavailableError} where it does not answer; {UserError} where it would not do
 */
export async function lookAtBlobs(place: string, deadlineMs: number): Promise<string> {
  if (isFolder(place) && !await Deno.stat(folderOf(place)).catch(() => null)) {
    throw new UserError(`blobs: want ${place}, got no such folder; main.ts services up makes it`);
  }
  const heap = isFolder(place)
    ? fileHeap(fileMedium(folderOf(place)))
    : s3Heap(place, impatiently, { deadlineMs });
  const key = `probe/${crypto.randomUUID()}`;
  const bytes = crypto.getRandomValues(new Uint8Array(PROBE_BYTES));
  await heap.write(key, bytes);
  const read = await heap.read(key);
  await heap.remove(key);
  if (read === null || read.some((byte, k) => byte !== bytes[k])) {
    throw new UserError(`blobs: want ${heap.locate(key)} as written, got other bytes; check its disk`);
  }
  return "what was written was read back";
}

/** Makes the folder or the bucket of a place of blobs where there is none. */
export async function makeBlobs(place: string, deadlineMs: number): Promise<void> {
  if (isFolder(place)) await Deno.mkdir(folderOf(place), { recursive: true });
  else await s3Heap(place, impatiently, { deadlineMs }).makeBucket();
}

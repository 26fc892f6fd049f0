import type { UrzaConfig } from "../../contracts/config.ts";
import { openStore } from "../../urza/adapters/open_store.ts";
import { writeWhole } from "../../urza/adapters/whole_file.ts";
import {
  type Collected,
  type Contents,
  type Copied,
  copyStore,
  type Hash,
  listStore,
  SCOPE_MARK,
  type Verified,
  verifyStore,
} from "../../urza/mod.ts";
import type { Json } from "../../util/json.ts";
import { usageError } from "../../util/errors.ts";
import { checkOutRun, RunFolder } from "./run_folder.ts";
import { openSharedStore, sharedStoreIn } from "./run_store.ts";

export type { Copied };

/** A store to look after: that of a run, or one that many share. */
export interface StoreFolder {
  /** As it was found: without user and password. */
  readonly path: string;
  list(): Promise<Contents>;
  verify(repair: boolean): Promise<Verified>;
  collect(dryRun: boolean): Promise<Collected>;
  close(): Promise<void>;
}

/** A store as a command line names it. */
interface Place {
  readonly config: UrzaConfig;
  /** Folder of one of files. */
  readonly root: string;
  /** The run whose manifests are meant; null for all. */
  readonly run: string | null;
}

/** A run's folder, a store's own folder, or `postgres://user@host/database?blobs=s3://bucket/prefix&run=NAME`. */
function placeOf(path: string, mayBeNew: boolean): Place {
  if (/^postgres(ql)?:\/\//.test(path)) {
    const url = new URL(path), blobs = url.searchParams.get("blobs"), run = url.searchParams.get("run");
    if (blobs === null || !/^(s3:\/\/|file:)./.test(blobs)) {
      throw usageError(
        `store: want ?blobs=s3://bucket/prefix or ?blobs=file:folder in the URL, got ${blobs}`,
      );
    }
    for (const name of ["blobs", "run"]) url.searchParams.delete(name);
    return { config: { kind: "postgres", url: url.href, blobs }, root: "", run };
  }
  const bare = path.replace(/\/+$/, ""), name = bare.split("/").at(-1)!;
  const isRun = isFile(`${bare}/config.json`);
  const shared = isRun ? sharedStoreIn(JSON.parse(Deno.readTextFileSync(`${bare}/config.json`))) : null;
  if (shared) return { config: shared, root: "", run: name };
  const root =
    [`${bare}/store`, bare].find((folder) =>
      ["blobs", "manifests", "records"].some((part) => isFolder(`${folder}/${part}`))
    ) ?? (mayBeNew ? bare : undefined);
  if (root === undefined) {
    throw usageError(`store: want a run folder with a store in it, such as runs/cifar10-1, got "${path}"`);
  }
  return { config: { kind: "file" }, root, run: isRun ? name : null };
}

/** Opens the store of a run folder, a store's own folder, or one in a database. @throws {UserError} where there is none */
export async function openStoreFolder(path: string): Promise<StoreFolder> {
  const { config, root } = placeOf(path, false);
  const { store, medium, index, close } = await openStore(config, root);
  return {
    path: config.kind === "file" ? root : medium.locate("").replace(/#$/, ""),
    list: () => listStore(medium, index),
    verify: (repair) => verifyStore(medium, index, { references, repair }),
    collect: (dryRun) => store.collect([], { dryRun }),
    close,
  };
}

/**
 * Copies a store into another of any kind: see `copyStore`. Manifests of a run folder's store go under the run's name
 * where many runs share the other.
 */
export async function copyStoreTo(from: string, to: string): Promise<Copied> {
  const source = placeOf(from, false), target = placeOf(to, true);
  const shares = ({ config }: Place) => config.kind === "postgres";
  const prefix = shares(source) ? `${source.run ?? ""}${SCOPE_MARK}` : "";
  const run = target.run ?? source.run;
  function rename(name: string): string | null {
    if (shares(source) && source.run !== null && !name.startsWith(prefix)) return null;
    const own = shares(source) && source.run !== null ? name.slice(prefix.length) : name;
    return shares(target) && run !== null && !own.includes(SCOPE_MARK) ? `${run}${SCOPE_MARK}${own}` : own;
  }
  const here = await openStore(source.config, source.root);
  try {
    const there = await openStore(target.config, target.root);
    try {
      const unmentioned = !(shares(source) && source.run !== null);
      return await copyStore(here, there, { rename, unmentioned });
    } finally {
      await there.close();
    }
  } finally {
    await here.close();
  }
}

/**
 * Moves a run's store into another and has the run's configuration say so; what it leaves behind stays where it is.
 *
 * @throws {UserError} where there is no such run, or the other is no store that many share
 */
export async function migrateRun(folder: string, to: string): Promise<Copied> {
  const path = folder.replace(/\/+$/, ""), { config } = placeOf(to, true);
  if (!isFile(`${path}/config.json`) || config.kind !== "postgres") {
    throw usageError(
      "store migrate: want a run folder and postgres://…?blobs=…; store copy takes any two stores",
    );
  }
  const url = new URL(config.url);
  if (url.password !== "") {
    throw usageError(
      "store migrate: want no password in the URL, which the run's configuration will hold; set PGPASSWORD",
    );
  }
  const shared = { ...config, url: url.href };
  const copied = await copyStoreTo(path, to);
  const kept = JSON.parse(Deno.readTextFileSync(`${path}/config.json`));
  writeWhole(`${path}/config.json`, JSON.stringify({ ...kept, urza: shared }, null, 2) + "\n");
  const store = await openSharedStore(shared);
  const run = RunFolder.open(path, store);
  try {
    await run.mirror();
  } finally {
    run.close();
    await store.close();
  }
  return copied;
}

/** Makes the folder of a run that keeps its checkpoints in a shared store. Resolves to its path. */
export async function checkOut(place: string, out: string): Promise<string> {
  const { config, run } = placeOf(place, false);
  if (config.kind !== "postgres" || run === null) {
    throw usageError(
      `store checkout: want postgres://…?blobs=…&run=NAME, got "${place.replace(/:[^:@/]*@/, "@")}"`,
    );
  }
  const store = await openSharedStore(config);
  try {
    return await checkOutRun(store.of(run), run, out);
  } finally {
    await store.close();
  }
}

/** Blobs of numbers, wherever a checkpoint keeps them. */
function references(kind: string, value: Json): Hash[] {
  if (kind !== "checkpoint" || typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    if (key !== "numbers" || !Array.isArray(item)) return references(kind, item);
    return item.filter((hash) => typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash)) as Hash[];
  });
}

const isFolder = (path: string) => infoOf(path)?.isDirectory === true;
const isFile = (path: string) => infoOf(path)?.isFile === true;

function infoOf(path: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}

import type { UrzaConfig } from "../../contracts/config.ts";
import { createStore } from "../create.ts";
import type { Index } from "../index.ts";
import type { Medium } from "../medium.ts";
import type { Store } from "../store.ts";
import { fileMedium } from "./files.ts";
import { createPatience } from "./patience.ts";
import { sqliteIndex } from "./sqlite_index.ts";

/** A store with what looking after it needs. */
export interface OpenStore {
  readonly store: Store;
  readonly medium: Medium;
  readonly index: Index | null;
  /** True for one caller an hour, of all processes: whose turn it is to collect. */
  due(): Promise<boolean>;
  /** Ends the connections to servers. */
  close(): Promise<void>;
}

/** What tests want otherwise. */
export interface OpenOptions {
  /** URL of the object store; what AWS_ENDPOINT_URL says, else Amazon\'s. */
  endpoint?: string;
  /** How long a server that does not answer is asked again. */
  patienceMs?: number;
  /** How long it may take to answer. */
  deadlineMs?: number;
  /** Largest upload in one piece. */
  partBytes?: number;
}

const PATIENCE_MS = 20_000;

/** Opens the store that a configuration names; `root` is the folder of one of files. */
export async function openStore(
  config: UrzaConfig | undefined,
  root: string,
  options: OpenOptions = {},
): Promise<OpenStore> {
  if (config === undefined || config.kind === "file") {
    const medium = fileMedium(root), index = sqliteIndex(root);
    return {
      store: createStore(medium, Date.now, index),
      medium,
      index,
      due: () => Promise.resolve(true),
      close: () => Promise.resolve(),
    };
  }
  const { openDatabase } = await import("./database.ts");
  const { claimHeap, postgresMedium } = await import("./postgres_medium.ts");
  const { postgresIndex } = await import("./postgres_index.ts");
  const { fileHeap } = await import("./heap.ts");
  const { patienceMs = PATIENCE_MS } = options;
  const database = await openDatabase(config.url, createPatience(patienceMs), options);
  try {
    const heap = config.blobs.startsWith("s3:")
      ? (await import("./s3.ts")).s3Heap(config.blobs, createPatience(patienceMs), options)
      : fileHeap(fileMedium(config.blobs.slice("file:".length)));
    await claimHeap(database, heap);
    const medium = postgresMedium(database, heap), index = postgresIndex(database);
    const due = async () =>
      (await database.askApart((sql) =>
        sql`update urza.identity set collected = now() where collected < now() - interval '1 hour' returning 1`
      )).length > 0;
    return { store: createStore(medium, database.now, index), medium, index, due, close: database.close };
  } catch (error) {
    await database.close();
    throw error;
  }
}

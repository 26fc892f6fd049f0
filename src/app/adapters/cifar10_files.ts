import { CIFAR10_FILES, CIFAR10_RECORDS_PER_FILE, parseCifar10 } from "../../engine/data/cifar10.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { gunzip } from "../../engine/data/gunzip.ts";
import { syncFolder, writeWhole } from "../../urza/adapters/whole_file.ts";
import { UserError } from "../../util/errors.ts";
import type { Download } from "./download.ts";
import { download } from "./download.ts";
import type { LoadHooks, Located } from "./load_dataset.ts";
import { DataUnavailable, findFolder, messageOf, readSourceFiles } from "./source_folder.ts";
import { untar } from "./untar.ts";

const WORK_PREFIX = ".cifar10-", STALE_MS = 24 * 3600 * 1000;
const FOLDER = "cifar-10-batches-bin";

/** Where CIFAR-10 comes from and how many records its files have; tests put a small copy on a local server. */
export interface Cifar10Source extends Download {
  recordsPerFile: number;
}

/** The official archive, 170 MB (https://www.cs.toronto.edu/~kriz/cifar.html, md5 c32a1d4ab5d03f1284b67883e8d87530). */
export const CIFAR10_SOURCE: Cifar10Source = {
  address: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
  sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
  connectTimeoutMs: 10_000,
  stallTimeoutMs: 30_000,
  recordsPerFile: CIFAR10_RECORDS_PER_FILE,
};

/**
 * CIFAR-10 from `dir`, else from the folder CIFAR10_DIR names, else from the cache folder ($XDG_CACHE_HOME or ~/.cache,
 * then `esper`), into which it is downloaded where it is nowhere. `remark` tells of set places that did not have it.
 *
 * @throws `DataUnavailable` where it is nowhere and the download failed, a plain error where a file found is broken.
 */
export async function loadCifar10(dir: string | undefined, hooks: LoadHooks = {}): Promise<Located> {
  const env = hooks.env ?? Deno.env.get, cache = cacheFolder(env);
  const source = { ...CIFAR10_SOURCE, ...hooks.cifar10 };
  const set = await findFolder(
    [{ what: "data.dir", dir }, { what: "CIFAR10_DIR", dir: env("CIFAR10_DIR") || undefined }],
    FOLDER,
    CIFAR10_FILES,
  );
  const folder = set.dir ?? (await findFolder([{ what: "cache", dir: cache }], FOLDER, CIFAR10_FILES)).dir;
  const dataset = folder === null
    ? await fetchCifar10(cache, source, hooks, set.missed)
    : await readCifar10(folder, source.recordsPerFile);
  if (set.missed.length === 0) return { dataset, remark: null };
  return {
    dataset,
    remark: `${set.missed.join("; ")}; CIFAR-10 was read from ${folder ?? `${cache}/${FOLDER}`}`,
  };
}

async function readCifar10(folder: string, recordsPerFile: number): Promise<Dataset> {
  return await parseCifar10(
    await readSourceFiles(folder, CIFAR10_FILES.map((name) => [name])),
    recordsPerFile,
  );
}

/** `~/.cache/esper` or what XDG_CACHE_HOME makes of it; undefined where neither it nor HOME is set. */
function cacheFolder(env: (name: string) => string | undefined): string | undefined {
  const home = env("HOME") || env("USERPROFILE"), base = env("XDG_CACHE_HOME") || (home && `${home}/.cache`);
  return base ? `${base}/esper` : undefined;
}

async function fetchCifar10(
  cache: string | undefined,
  source: Cifar10Source,
  hooks: LoadHooks,
  missed: readonly string[],
): Promise<Dataset> {
  try {
    if (cache === undefined) {
      throw new UserError("cache: want a folder for the download, got neither XDG_CACHE_HOME nor HOME set");
    }
    if (hooks.offline) throw new UserError(`${cache} has none, and nothing was downloaded`);
    return await downloadInto(cache, source, hooks);
  } catch (error) {
    hooks.signal?.throwIfAborted();
    const reason = error instanceof UserError
      ? error.message
      : `cache: want to write to ${cache}, got ${messageOf(error)}; free space or set XDG_CACHE_HOME`;
    throw new DataUnavailable("cifar10", [...missed, reason], [
      `--set data.dir=FOLDER where FOLDER holds ${FOLDER}`,
      "CIFAR10_DIR=FOLDER",
      `a network that reaches ${new URL(source.address).host}`,
      "--set data.whenUnavailable=digits",
    ]);
  }
}

/**
 * Downloads, unpacks and reads in a folder of its own beside the final one, which then appears whole by a rename, this
 * one's or that of a run that was faster.
 */
async function downloadInto(cache: string, source: Cifar10Source, hooks: LoadHooks): Promise<Dataset> {
  await Deno.mkdir(cache, { recursive: true });
  await sweep(cache);
  const work = await Deno.makeTempDir({ dir: cache, prefix: WORK_PREFIX });
  try {
    const archive = `${work}/archive.tar.gz`, unpacked = `${work}/${FOLDER}`, final = `${cache}/${FOLDER}`;
    await download(source, archive, hooks.onProgress, hooks.signal);
    await unpack(archive, source.address, unpacked);
    const dataset = await readCifar10(unpacked, source.recordsPerFile);
    await Deno.rename(unpacked, final).catch(async (error) => {
      if (await Deno.stat(final).then(() => false, () => true)) throw error;
    });
    syncFolder(cache);
    return dataset;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** Removes what downloads left behind that were killed a day ago or earlier. */
async function sweep(cache: string): Promise<void> {
  for await (const { name } of Deno.readDir(cache)) {
    if (!name.startsWith(WORK_PREFIX)) continue;
    const { mtime } = await Deno.stat(`${cache}/${name}`);
    if (mtime !== null && Date.now() - mtime.getTime() > STALE_MS) {
      await Deno.remove(`${cache}/${name}`, { recursive: true });
    }
  }
}

async function unpack(archive: string, name: string, folder: string): Promise<void> {
  const files = untar(await gunzip({ name, bytes: await Deno.readFile(archive) }));
  await Deno.mkdir(folder);
  for (const { name, bytes } of files) {
    writeWhole(`${folder}/${name.slice(name.lastIndexOf("/") + 1)}`, bytes);
  }
}

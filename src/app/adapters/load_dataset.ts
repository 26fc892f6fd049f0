import type { RunConfig } from "../../contracts/config.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { loadDigits } from "../../engine/data/digits.ts";
import { padImages, poolImages } from "../../engine/data/pixels.ts";
import { spirals } from "../../engine/data/spirals.ts";
import type { Cifar10Source } from "./cifar10_files.ts";
import { loadCifar10 } from "./cifar10_files.ts";
import type { DownloadProgress } from "./download.ts";
import { loadFashionMnist } from "./fashion_mnist_files.ts";
import { DataUnavailable } from "./source_folder.ts";

/** What the caller may follow and tests may replace. */
export interface LoadHooks {
  /** Called with each piece of a download. */
  onProgress?: (progress: DownloadProgress) => void;
  /** Ends a download early; what was written is removed. */
  signal?: AbortSignal;
  /** Environment variables; the process's own by default. */
  env?: (name: string) => string | undefined;
  cifar10?: Partial<Cifar10Source>;
  debianFolder?: string;
}

/** A data set read from files; `remark` tells of places the user named that did not have it. */
export interface Located {
  dataset: Dataset;
  remark: string | null;
}

/** The data set to train on. A notice, where there is one, belongs on every surface that names the data. */
export interface LoadedDataset {
  dataset: Dataset;
  notice: string | null;
}

type DataConfig = RunConfig["data"];
type ImageKind = Exclude<DataConfig["kind"], "spirals">;

/** Reads an image data set; `side` is that of its images, which a substitute is padded to. */
const IMAGE_LOADERS: Record<ImageKind, { load: typeof loadCifar10; side: number }> = {
  "cifar10": { load: loadCifar10, side: 32 },
  "fashion-mnist": { load: loadFashionMnist, side: 28 },
  "digits": { load: async () => ({ dataset: await loadDigits(), remark: null }), side: 28 },
};

/**
 * The data set that `config` names, images pooled to `config.pixels`; the split is the caller's. `seed` draws procedural
 * data. Where the files cannot be had and `config.whenUnavailable` says so, the digits come instead, padded to the side of the
 * images they stand in for, and the notice says why.
 *
 * @throws a one-line `UserError` where data cannot be had or is broken, or `pixels` does not fit.
 */
export async function loadDataset(
  config: DataConfig,
  seed: number,
  hooks: LoadHooks = {},
): Promise<LoadedDataset> {
  if (config.kind === "spirals") {
    return { dataset: await spirals(seed, { ...config, test: config.split.test }), notice: null };
  }
  const { load, side } = IMAGE_LOADERS[config.kind];
  const { dataset, notice } = await load(config.dir, hooks)
    .then(({ dataset, remark }) => ({ dataset, notice: remark }))
    .catch(async (error) => {
      if (!(error instanceof DataUnavailable) || config.whenUnavailable === undefined) throw error;
      return await substitute(config.kind, side, error.reasons);
    });
  return { dataset: config.pixels === undefined ? dataset : poolImages(dataset, config.pixels), notice };
}

async function substitute(wanted: string, side: number, reasons: string): Promise<LoadedDataset> {
  const dataset = padImages(await loadDigits(), side);
  const count = dataset.train.count + dataset.test.count;
  const notice =
    `training on ${count} handwritten digits instead of ${wanted}, which is unavailable: ${reasons}`;
  return { dataset, notice };
}

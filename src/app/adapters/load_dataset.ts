import type { RunConfig } from "../../contracts/config.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { loadDigits } from "../../engine/data/digits.ts";
import { padImages, poolImages } from "../../engine/data/pixels.ts";
import type { SplitOptions } from "../../engine/data/split.ts";
import { spirals } from "../../engine/data/spirals.ts";
import type { LoadedDataset } from "../loaded_dataset.ts";
import type { Cifar10Source } from "./cifar10_files.ts";
import { loadCifar10 } from "./cifar10_files.ts";
import type { DownloadProgress } from "../options.ts";
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
  /** Take what is on this machine, and download nothing. */
  offline?: boolean;
  cifar10?: Partial<Cifar10Source>;
  debianFolder?: string;
}

/** A data set read from files; `remark` tells of places the user named that did not have it. */
export interface Located {
  dataset: Dataset;
  remark: string | null;
}

type DataConfig = RunConfig["data"];
type ImageConfig = Exclude<DataConfig, { kind: "spirals" }>;

/** Reads an image data set; `side` is that of its images, which a substitute is padded to. */
const IMAGE_LOADERS: Record<ImageConfig["kind"], { load: typeof loadCifar10; side: number }> = {
  "cifar10": { load: loadCifar10, side: 32 },
  "fashion-mnist": { load: loadFashionMnist, side: 28 },
  "digits": { load: async () => ({ dataset: await loadDigits(), remark: null }), side: 28 },
};

/**
 * The data set that `config` names, images pooled to `config.pixels`. `seed` draws procedural data. Where the files cannot
 * be had and `config.whenUnavailable` says so, the digits come instead, padded to the side of the images they stand in for, with
 * at most half of them held out, and the notice says why. Digits are never mirrored.
 *
 * @throws a one-line `UserError` where data cannot be had or is broken, or `pixels` does not fit.
 */
export async function loadDataset(
  config: DataConfig,
  seed: number,
  hooks: LoadHooks = {},
): Promise<LoadedDataset> {
  if (config.kind === "spirals") {
    const dataset = await spirals(seed, { ...config, test: config.split.test });
    return {
      dataset,
      split: config.split,
      augment: { crop: 0, flip: false },
      substituted: false,
      notice: null,
    };
  }
  const { dataset, split, notices } = await loadImages(config, hooks);
  const unmirrored = dataset.name === "digits" && config.augment.flip !== false;
  if (unmirrored) notices.push("digits are not mirrored");
  return {
    dataset: config.pixels === undefined ? dataset : poolImages(dataset, config.pixels),
    split: { ...split, trainLimit: config.trainLimit },
    augment: unmirrored ? { ...config.augment, flip: false } : config.augment,
    substituted: dataset.name !== config.kind,
    notice: notices.length === 0 ? null : notices.join("; "),
  };
}

async function loadImages(config: ImageConfig, hooks: LoadHooks) {
  const { load, side } = IMAGE_LOADERS[config.kind];
  try {
    const { dataset, remark } = await load(config.dir, hooks);
    return { dataset, split: config.split, notices: remark === null ? [] : [remark] };
  } catch (error) {
    if (!(error instanceof DataUnavailable) || config.whenUnavailable === undefined) throw error;
    const dataset = padImages(await loadDigits(), side), count = dataset.train.count + dataset.test.count;
    const split = holdOutHalf(config.split, dataset.train.count);
    const notices = [
      `training on ${count} handwritten digits instead of ${config.kind}, which is unavailable: ${error.reasons}`,
    ];
    if (split !== config.split) {
      notices.push(`${split.control} of them for control and ${split.validation} for validation`);
    }
    return { dataset, split, notices };
  }
}

/** Control and validation, in their proportion, brought down to half of `count` together. */
function holdOutHalf(split: SplitOptions, count: number): SplitOptions {
  const share = count / 2 / (split.control + split.validation);
  if (share >= 1) return split;
  return { control: Math.floor(split.control * share), validation: Math.floor(split.validation * share) };
}

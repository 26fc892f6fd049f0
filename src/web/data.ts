/** The data of a run in the page. */
import type { LoadedDataset } from "../app/loaded_dataset.ts";
import type { RunConfig } from "../contracts/config.ts";
import type { NetworkInput } from "../contracts/exported.ts";
import { type Dataset, type Examples, selectExamples } from "../engine/data/dataset.ts";
import { gunzip } from "../engine/data/gunzip.ts";
import { spirals } from "../engine/data/spirals.ts";
import { splitTrain } from "../engine/data/split.ts";
import { UserError } from "../util/errors.ts";
import { sha256 } from "../util/hash.ts";
import { prng } from "../util/prng.ts";
import { decodeDigits } from "./digits_file.ts";
import { IMAGE_SIDE, type OwnImages } from "./protocol.ts";
import type { Setup } from "./setup.ts";

/** Fewest images of one's own: below that no part of the split has any of each class. */
const FEWEST = 20;

/** A data set before it is split; null for spirals, which their configuration makes. */
export async function loadImages(
  setup: Setup,
  images: OwnImages | null,
  load: (name: "digits.bin.gz") => Promise<Uint8Array<ArrayBuffer>>,
): Promise<Dataset | null> {
  if (setup.data === "spirals") return null;
  if (setup.data === "digits") {
    const name = "digits.bin.gz";
    return await decodeDigits(await gunzip({ name, bytes: await load(name) }));
  }
  return await ownDataset(images);
}

async function ownDataset(images: OwnImages | null): Promise<Dataset> {
  const count = images?.labels.length ?? 0;
  if (!images || count < FEWEST || images.classes.length < 2) {
    throw new UserError(
      `your images: want at least ${FEWEST} in two buckets or more, got ${count} in ${
        images?.classes.length ?? 0
      }; ` +
        `drop some more`,
    );
  }
  const shape = [IMAGE_SIDE, IMAGE_SIDE, 3];
  const all: Examples = { count, data: images.pixels, labels: images.labels };
  const order = Array.from({ length: count }, (_, k) => k);
  prng(1, "your images").shuffle(order);
  const held = Math.max(2, Math.round(count / 10));
  return {
    name: "your images",
    sha256: await sha256(images.pixels),
    kind: "images",
    shape,
    classes: [...images.classes],
    train: selectExamples(all, shape, order.slice(held)),
    test: selectExamples(all, shape, order.slice(0, held)),
  };
}

/** The data of a run by its configuration. */
export async function shareOut(config: RunConfig, images: Dataset | null): Promise<LoadedDataset> {
  const { data } = config;
  const dataset = images ??
    (data.kind === "spirals" ? await spirals(config.seed, { ...data, test: data.split.test }) : null);
  if (!dataset) throw new Error("internal: images were not loaded");
  return {
    dataset,
    split: data.split,
    augment: { crop: 0, flip: false },
    substituted: images?.name === "your images",
    notice: null,
  };
}

/** The examples that a network is scored on while it trains: those held out for model selection. */
export function validationOf({ dataset, split }: LoadedDataset, seed: number): Examples {
  const { validation } = splitTrain(dataset.train.labels, dataset.classes.length, split, seed);
  return selectExamples(dataset.train, dataset.shape, validation);
}

/** Examples as a network takes them: points as they are, images from 0 to 1 and normalised by channel. */
export function normalised(
  values: ArrayLike<number>,
  scale: number,
  { normalisation }: NetworkInput,
): Float32Array<ArrayBuffer> {
  if (!normalisation) return Float32Array.from(values);
  const { mean, std } = normalisation;
  return Float32Array.from(
    values,
    (value, i) => (value * scale - mean[i % mean.length]) / std[i % std.length],
  );
}

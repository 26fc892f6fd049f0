import { sizeOf } from "../../util/shape.ts";
import type { BufferView } from "../gpu/allocator.ts";
import type { Gpu } from "../gpu/device.ts";
import { resident, type Source, stepInput, type Tensor } from "../graph/tensor.ts";
import type { Fill, Flip, View } from "../../../kernels/batch.ts";
import { loadImages, loadLabels, loadRows } from "../ops/batch.ts";
import { type ChannelStats, channelStats } from "./channel_stats.ts";
import { type Dataset, type Examples, selectExamples } from "./dataset.ts";
import { packBytes } from "./pack.ts";
import { whiteningFilters } from "./whitening.ts";
import type { Whiten } from "../nn/init.ts";
import { type SplitOptions, splitTrain } from "./split.ts";

/** The four parts of a data set: trained on, seen by the controller, for model selection, opened last. */
export type PartName = "train" | "control" | "validation" | "test";

/** A run of examples in the store. */
export interface Part {
  readonly start: number;
  readonly count: number;
}

export interface Augmentation {
  /** Largest shift in pixels. */
  readonly crop: number;
  /** What comes in where an image is shifted. Default zeros. */
  readonly fill?: Fill | undefined;
  readonly flip: Flip;
}

/** One batch as a graph sees it. */
export interface BatchTensors {
  readonly x: Tensor;
  readonly labels: Tensor;
}

/** Images that filters are made of. */
const SAMPLE = 5000;

const DATA = "examples", LABELS = "labels", INDICES = "indices", KEY = "augmentation key";

/** A whole data set on the device, part after part; images as packed u8. */
export class ExampleStore {
  readonly parts: Readonly<Record<PartName, Part>>;
  readonly stats: ChannelStats;
  /** Shape of one example: [H, W, C] or [F]. */
  readonly shape: readonly number[];
  /** Makes filters of the first images that are trained on. */
  readonly whiten: Whiten;
  readonly #gpu: Gpu;
  readonly #data: BufferView;
  readonly #labels: BufferView;
  readonly #images: boolean;
  readonly #dataTensor: Tensor;
  readonly #labelTensor: Tensor;

  /** Splits by seed and uploads. */
  constructor(gpu: Gpu, dataset: Dataset, options: SplitOptions, seed: number) {
    const { shape, train, test } = dataset;
    const split = splitTrain(train.labels, dataset.classes.length, options, seed);
    const parts = {
      train: selectExamples(train, shape, split.train),
      control: selectExamples(train, shape, split.control),
      validation: selectExamples(train, shape, split.validation),
      test,
    };
    this.#gpu = gpu;
    this.shape = shape;
    this.stats = channelStats(dataset, split.train);
    this.#images = dataset.kind === "images";
    const sample = new Uint8Array(parts.train.data.subarray(0, SAMPLE * sizeOf(shape)));
    this.whiten = (kernel, epsilon) =>
      whiteningFilters({ data: sample, shape, stats: this.stats }, kernel, epsilon);
    let start = 0;
    const place = (examples: Examples): Part => {
      const part = { start, count: examples.count };
      start += examples.count;
      return part;
    };
    this.parts = {
      train: place(parts.train),
      control: place(parts.control),
      validation: place(parts.validation),
      test: place(parts.test),
    };
    const labels = Uint32Array.from(Object.values(parts).flatMap((part) => [...part.labels]));
    const data = joinData(Object.values(parts), start * sizeOf(shape));
    const numbers = data instanceof Uint8Array ? packBytes(data) : data;
    this.#data = gpu.allocator.upload(DATA, numbers);
    this.#labels = gpu.allocator.upload(LABELS, labels);
    this.#dataTensor = this.#images
      ? resident(DATA, [numbers.length], "u32")
      : resident(DATA, [start, ...shape], "f32");
    this.#labelTensor = resident(LABELS, [start], "u32");
  }

  /** Memory of the store's residents; null for others. */
  memory(source: Source): BufferView | null {
    if (source.kind !== "resident") return null;
    return source.name === DATA ? this.#data : source.name === LABELS ? this.#labels : null;
  }

  /**
   * The batch that the step value `indices` names, normalised, and augmented where asked.
   *
   * @param view How all images of a batch that is not augmented are seen. Default: as they are.
   */
  batch(size: number, augmentation?: Augmentation, view?: View): BatchTensors {
    const indices = stepInput(INDICES, [size], "u32");
    const labels = loadLabels(this.#labelTensor, indices);
    if (!this.#images) return { x: loadRows(this.#dataTensor, indices), labels };
    const [height, width, channels] = this.shape;
    const x = loadImages(this.#dataTensor, indices, stepInput(KEY, [2], "u32"), {
      height,
      width,
      channels,
      mean: this.stats.mean,
      std: this.stats.std,
      crop: augmentation?.crop ?? 0,
      fill: augmentation?.fill ?? "zeros",
      flip: augmentation?.flip ?? false,
      epoch: this.parts.train.count,
      ...view && { view },
    });
    return { x, labels };
  }

  /** Step values of one batch: positions within a part, and the key of its augmentation. */
  stepValues(
    part: PartName,
    positions: Uint32Array,
    seed: number,
    step: number,
  ): Record<string, Uint32Array> {
    const { start } = this.parts[part];
    return { [INDICES]: positions.map((position) => start + position), [KEY]: Uint32Array.of(seed, step) };
  }

  destroy(): void {
    this.#gpu.allocator.free(this.#data);
    this.#gpu.allocator.free(this.#labels);
  }
}

function joinData(parts: readonly Examples[], size: number): Examples["data"] {
  const joined = parts[0].data instanceof Uint8Array ? new Uint8Array(size) : new Float32Array(size);
  let at = 0;
  for (const { data } of parts) {
    joined.set(data, at);
    at += data.length;
  }
  return joined;
}

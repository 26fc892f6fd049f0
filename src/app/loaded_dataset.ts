import type { Dataset } from "../engine/data/dataset.ts";
import type { Augmentation } from "../engine/data/example_store.ts";
import type { SplitOptions } from "../engine/data/split.ts";

/** The data set to train on and how: `split` and `augment` are the configuration's, fitted to the data. */
export interface LoadedDataset {
  dataset: Dataset;
  split: SplitOptions;
  augment: Augmentation;
  /** Whether another data set stands in for the one that was asked for. */
  substituted: boolean;
  /** Where the data is not what the configuration says: how and why. Belongs on every surface that names the data. */
  notice: string | null;
}

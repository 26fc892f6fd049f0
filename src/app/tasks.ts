import type { RunConfig } from "../contracts/config.ts";
import type { LoadedDataset } from "./loaded_dataset.ts";

/** What episodes are runs of. */
export interface Task {
  readonly name: string;
  readonly config: RunConfig;
  /** The data of an episode's seed. */
  data(seed: number): Promise<LoadedDataset>;
}

/** A task whose images, which no seed changes, are read once. Points are drawn anew for each seed. */
export function createTask(
  name: string,
  config: RunConfig,
  load: (data: RunConfig["data"], seed: number) => Promise<LoadedDataset>,
): Task {
  let images: Promise<LoadedDataset> | null = null;
  return {
    name,
    config,
    data: (seed) =>
      config.data.kind === "spirals" ? load(config.data, seed) : images ??= load(config.data, seed),
  };
}

/** The composition root of tuning. */
import { requireTimestamps } from "../engine/gpu/profile.ts";
import { type ContestResult, timeVariants } from "../engine/tune/tune.ts";
import { type ConfigSource, resolveConfig } from "./config.ts";
import { contestsOf } from "./contests.ts";
import { loadHost } from "./host_file.ts";
import { buildNetwork } from "./network.ts";
import type { BackendChoice, ProfileChoice, RunOptions } from "./options.ts";
import { mergeTuned } from "./tuned_kernels.ts";

export interface TuneOptions {
  readonly config: ConfigSource;
  readonly profile: ProfileChoice;
  readonly backend: BackendChoice;
  readonly unsafeGpu?: boolean;
  /** File to write; the adapter's own by default. What it says of other operations stays. */
  readonly file?: string;
  /** Called before each contest; `total` is how many there are. */
  onContest?(done: number, total: number, key: string): void;
  readonly onDownload?: RunOptions["onDownload"];
}

export interface TuneResult {
  readonly adapter: string;
  readonly path: string;
  readonly results: readonly ContestResult[];
}

/**
 * Times the kernels of a configuration's network, with every blueprint at every slot, and keeps the fastest for each
 * operation. Software adapters are tuned as any other where somebody asks for it.
 *
 * @throws {UserError} where the configuration, the data, the device or the disk will not do.
 */
export async function tuneKernels(options: TuneOptions): Promise<TuneResult> {
  const { openGpu } = await import("./adapters/open_gpu.ts");
  const { loadDataset } = await import("./adapters/load_dataset.ts");
  const { readTuned, tunedPath, writeTuned } = await import("./adapters/tuned_file.ts");
  const gpu = await openGpu(options.backend, options.unsafeGpu);
  try {
    requireTimestamps(gpu, "tune-kernels");
    const path = options.file ?? tunedPath(gpu.adapter);
    // A file that is no good is found before the work, not after it.
    const earlier = readTuned(path);
    const size = gpu.adapter.software ? "small" : "full";
    const { config, from } = await loadHost(
      resolveConfig(options.config, options.profile === "auto" ? size : options.profile),
      null,
    );
    const { onDownload } = options;
    const { dataset: { shape, classes } } = await loadDataset(config.data, config.seed, {
      ...(onDownload && { onProgress: (progress) => onDownload(progress) }),
    });
    const network = buildNetwork(config, shape, classes.length, from);
    const contests = [...contestsOf(network, config, shape, gpu.traits).values()];
    const results: ContestResult[] = [];
    for (const [done, contest] of contests.entries()) {
      options.onContest?.(done, contests.length, contest.key);
      results.push(await timeVariants(gpu, contest));
    }
    writeTuned(path, mergeTuned(earlier, gpu.adapter, results));
    return { adapter: `${gpu.adapter.description} (${gpu.adapter.backend})`, path, results };
  } finally {
    gpu.destroy();
  }
}

import type { RunConfig } from "../contracts/config.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { TwinCurve } from "../tamiyo/mod.ts";
import type { Store } from "../urza/mod.ts";
import { sha256 } from "../util/hash.ts";
import { canonicalJson } from "../util/json.ts";
import type { LoadedDataset } from "./loaded_dataset.ts";
import { preparePausedRun } from "./paused_run.ts";
import { ESPER_VERSION } from "./versions.ts";

/** Manifests that hold the curves of twins, by the hash of all that a curve depends on. */
const KIND = "twin";

/** Runs that never grow, each run once and remembered. */
export interface Twins {
  /** The curve of the same run without growth: the same seed, hence the same weights at birth and the same batches. */
  curveOf(config: RunConfig, data: LoadedDataset): Promise<TwinCurve>;
}

/**
 * The twins of runs on one device, kept in a store.
 *
 * @param store Outlives the process where it is one of files.
 */
export function createTwins(gpu: Gpu, store: Store): Twins {
  const known = new Map<string, Promise<TwinCurve>>();

  async function find(key: string, config: RunConfig, data: LoadedDataset): Promise<TwinCurve> {
    if ((await store.listManifests(KIND)).includes(key)) {
      const kept = TwinCurve.safeParse(await store.readManifest(KIND, key));
      if (kept.success) return kept.data;
    }
    const curve = await runTwin(gpu, config, data, store);
    await store.writeManifest(KIND, key, curve);
    return curve;
  }

  return {
    async curveOf(asked, data) {
      const config: RunConfig = { ...asked, controller: { kind: "off" } };
      const { sha256: examples, name } = data.dataset;
      const key = await sha256(canonicalJson({
        config,
        data: { name, examples, split: { ...data.split, trainLimit: data.split.trainLimit ?? null } },
        adapter: gpu.adapter,
        version: ESPER_VERSION,
      }));
      const curve = known.get(key) ?? find(key, config, data);
      known.set(key, curve);
      curve.catch(() => known.delete(key));
      return await curve;
    },
  };
}

async function runTwin(gpu: Gpu, config: RunConfig, data: LoadedDataset, store: Store): Promise<TwinCurve> {
  const run = preparePausedRun({ gpu, config, data, store, onEvent() {} });
  const flops: number[] = [], losses: number[] = [];
  try {
    for (let seen = await run.advance(null); seen !== null; seen = await run.advance(null)) {
      // A rollback tells of a tick again.
      flops.push(run.session.trainer.ledger.total);
      losses.push(seen.controlLoss ?? Math.log(data.dataset.classes.length));
    }
    const { loss } = await run.session.trainer.score("validation");
    return TwinCurve.parse({ version: 1, flops, losses, final: loss });
  } finally {
    await run.close();
  }
}

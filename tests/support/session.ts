import { mergeConfig } from "../../src/app/config.ts";
import { RunFolder } from "../../src/app/adapters/run_folder.ts";
import { loadDataset } from "../../src/app/adapters/load_dataset.ts";
import type { Hooks } from "../../src/tolaria/mod.ts";
import type { LoadedDataset } from "../../src/app/loaded_dataset.ts";
import { buildNetwork } from "../../src/app/network.ts";
import { createSession, type Session } from "../../src/app/session.ts";
import { RunConfig } from "../../src/contracts/config.ts";
import type { AnyEnvelope } from "../../src/contracts/events.ts";
import type { Edge } from "../../src/contracts/lifecycle.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { testRandom } from "./values.ts";

/** Gates that any seed which learns at all passes, as soon as it can. */
const QUICK_GATES = {
  minTicksLeft: 0,
  trainingTicks: 1,
  gradientRatioMin: 0,
  gradientRatioMax: 1e30,
  advantageBatches: 2,
  confidence: 0,
  lossTolerance: 10,
  holdingTicks: 1,
  removalMeasurements: 1,
  pruneAge: 0,
  embargoTicks: 1,
};

/** What the tiny runs share: a tick of four steps, a constant learning rate, and a budget that never ends a run. */
const COMMON = {
  train: {
    budgetGflop: 1e6,
    maxSteps: 60,
    optimizer: { kind: "adamw", weightDecay: 1e-3 },
    learningRate: { peak: 0.02, warmup: 0, final: 1 },
  },
  growth: { paramsBudget: 100, flopsBudget: 100, alpha: { ticks: 2 }, gates: QUICK_GATES },
  controller: { kind: "off" },
  loop: { tickSteps: 4, controlBatches: 4, metricsSteps: 3, checkpointTicks: 1000 },
};

const KINDS = {
  points: {
    name: "points",
    data: {
      kind: "spirals",
      count: 400,
      noise: 0.03,
      split: { control: 64, validation: 64, test: 64 },
    },
    host: { kind: "mlp", hidden: [8, 8] },
    train: { batch: 16 },
    growth: { blueprints: ["mlp", "affine", "nan", "explode"] },
  },
  images: {
    name: "images",
    data: { kind: "digits", augment: { crop: 1, flip: true }, split: { control: 32, validation: 32 } },
    host: { kind: "cnn", channels: [4, 8] },
    train: { batch: 8 },
    growth: { blueprints: ["conv3", "se", "nan", "explode"] },
  },
};
export type TinyKind = keyof typeof KINDS;

/** A run of a few steps: a dense host on spirals, or a convolutional one on 8×8 images. Slots: layer1, 2; block1, 2. */
export function tinyConfig(kind: TinyKind, changes: unknown = {}): RunConfig {
  return RunConfig.parse(mergeConfig(mergeConfig(COMMON, KINDS[kind]), changes));
}

/** 8×8 images in three colours: the class is the quarter that is bright. */
function tinyImages(): LoadedDataset {
  const random = testRandom("tiny images");
  const draw = (count: number) => {
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 4);
    const data = new Uint8Array(count * 192);
    for (let at = 0; at < data.length; at++) {
      const pixel = Math.floor(at / 3) % 64, quarter = 2 * Math.floor(pixel / 32) + Math.floor(pixel % 8 / 4);
      data[at] = 100 * random() + (quarter === labels[Math.floor(at / 192)] ? 100 : 0);
    }
    return { count, data, labels };
  };
  return {
    dataset: {
      name: "quarters",
      sha256: "0".repeat(64),
      kind: "images",
      shape: [8, 8, 3],
      classes: ["top left", "top right", "bottom left", "bottom right"],
      train: draw(160),
      test: draw(32),
    },
    split: { control: 32, validation: 32 },
    augment: { crop: 1, flip: true },
    substituted: false,
    notice: null,
  };
}

/** The data of a tiny run. */
export async function tinyData(config: RunConfig): Promise<LoadedDataset> {
  return config.data.kind === "spirals" ? await loadDataset(config.data, config.seed) : tinyImages();
}

export interface OpenSession extends Session {
  /** All that was published, in order. */
  readonly events: AnyEnvelope[];
}

/** A session, not started, on tiny data; `directory` is an existing run folder, null where nothing is to be written. */
export async function openSession(
  gpu: Gpu,
  config: RunConfig,
  directory: string | null = null,
  hooks: readonly Hooks[] = [],
  given?: LoadedDataset,
): Promise<OpenSession> {
  const folder = directory === null ? null : RunFolder.open(directory);
  const events: AnyEnvelope[] = [];
  const data = given ?? await tinyData(config);
  const session = createSession({
    config,
    gpu,
    data,
    network: buildNetwork(config, data.dataset.shape, data.dataset.classes.length),
    folder,
    onEvent: (event) => void events.push(event),
    hooks,
  });
  return {
    ...session,
    events,
    async destroy() {
      await session.bus.drain();
      await session.destroy();
      folder?.close();
    },
  };
}

/** A signal that is aborted once `reached` says so. */
export function signalWhen(reached: () => boolean): AbortSignal {
  return {
    get aborted() {
      return reached();
    },
  } as AbortSignal;
}

export const NEVER: AbortSignal = signalWhen(() => false);

/** The edges that were published, in order. */
export function edgesOf({ events }: OpenSession): Edge[] {
  return events.flatMap((event) => event.topic === "seed.edge" ? [event.payload] : []);
}

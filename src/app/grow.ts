/** Training a network of one's own, in memory: what a program calls that brings its own model and data. */
import { RunConfig, type RunConfigInput } from "../contracts/config.ts";
import type { Blueprint } from "../contracts/types/blueprint.ts";
import type { PatientController } from "../contracts/types/control.ts";
import type { AnyEnvelope } from "../contracts/types/events.ts";
import type { Edge } from "../contracts/types/lifecycle.ts";
import type { GrowSettings } from "../contracts/types/settings.ts";
import type { Dataset } from "../engine/data/dataset.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import type { SafeTensor } from "../engine/io/safetensors.ts";
import type { Model } from "../engine/nn/scope.ts";
import { morph } from "../kasmina/mod.ts";
import { library, parseBlueprint } from "../tezzeret/mod.ts";
import { type Hooks, seedsWith } from "../tolaria/mod.ts";
import { formatShape, sameShape } from "../util/shape.ts";
import { usageError } from "../util/errors.ts";
import { checkBlueprintNames, checkSlotNames } from "./config_names.ts";
import { growNetwork } from "./network.ts";
import type { NetworkSize, SeedFate } from "./options.ts";
import { seedFates } from "./seed_fates.ts";
import { createSession } from "./session.ts";

/** What `grow` trains, on what and how. */
export interface GrowOptions {
  /** Stays open. */
  readonly gpu: Gpu;
  /** The network; a slot may sit wherever its `forward` calls `scope.tap`. */
  readonly model: Model;
  /** What it learns; all of it stays in memory, `train` on the device too. */
  readonly data: Dataset;
  /** How to train and to grow. */
  readonly settings: GrowSettings;
  /** Blueprints of one's own, as data; `settings.growth.blueprints` names them like those that come with Esper. */
  readonly blueprints?: readonly Blueprint[];
  /** Decides instead of the one that `settings.controller` asks for. */
  readonly controller?: PatientController;
  /** Called at steps, ticks and epochs; each is awaited. */
  readonly hooks?: readonly Hooks[];
  /** Called for every event, in order. */
  onEvent?(event: AnyEnvelope): void;
  /** Aborted: finish the step and return. */
  readonly signal?: AbortSignal;
}

/** A trained network, and how it came about. */
export interface Grown {
  /** `interrupted` where the signal was aborted. */
  readonly outcome: "completed" | "interrupted";
  /** Optimiser steps taken. */
  readonly steps: number;
  /** Spent in all, in FLOPs: training, shadow passes, evaluations, failed seeds. */
  readonly flops: number;
  /** Loss in nats and accuracy, 0 to 1, on the validation split. */
  readonly validation: { readonly loss: number; readonly accuracy: number };
  /** The network as it was handed in. */
  readonly host: NetworkSize;
  /** The network with the seeds that stayed. */
  readonly grown: NetworkSize;
  /** Every seed that was sown, in order of birth. */
  readonly seeds: readonly SeedFate[];
  /** The network with the seeds that stayed; its parameters have the names of `weights`. */
  readonly model: Model;
  /** Trained parameters and running averages by name, row-major. */
  readonly weights: Readonly<Record<string, SafeTensor & { readonly data: Float32Array<ArrayBuffer> }>>;
}

/** Set aside for each purpose where nothing is said. */
const ASIDE = 1000;
/** The end of a tick is one already. */
const NEVER_TICKS = 2 ** 40;

/**
 * Trains a network of one's own on data of one's own, and lets it grow where it has taps. Nothing is written.
 *
 * @throws {UserError} where settings, model and data do not go together; the message says which and the cure.
 */
export async function grow(options: GrowOptions): Promise<Grown> {
  const { gpu, model, data, signal = new AbortController().signal } = options;
  checkData(model, data);
  const { control = ASIDE, validation = ASIDE } = options.settings.split ?? {};
  const blueprints = [...library, ...(options.blueprints ?? []).map(parseBlueprint)];
  const config = configOf(options.settings, data.kind);
  checkBlueprintNames(config, blueprints);
  const morphed = morph(model, config.growth.slots);
  checkSlotNames(config, morphed.slots.map(({ name }) => name));
  const network = growNetwork(morphed, config, blueprints);
  const edges: Edge[] = [];
  const session = createSession({
    config,
    gpu,
    network,
    data: {
      dataset: data,
      split: { control, validation },
      augment: { crop: 0, flip: false },
      substituted: false,
      notice: null,
    },
    folder: null,
    ...(options.controller && { controller: options.controller }),
    hooks: options.hooks ?? [],
    onEvent(event) {
      if (event.topic === "seed.edge") edges.push(event.payload);
      options.onEvent?.(event);
    },
  });
  try {
    await session.start(false);
    const { trainer } = session, { store } = trainer.parts;
    const outcome = await trainer.run(signal);
    await session.bus.drain();
    session.journal.failed.throwIfAborted();
    const stayed = seedsWith(trainer.assembly.topology, (mode) => mode === "fossil");
    const specs = network.parametersOf(stayed);
    const weights = await Promise.all(
      specs.map(async ({ name, shape }) => [name, { shape, data: await store.get(name) }]),
    );
    const { loss, accuracy } = await trainer.score("validation");
    return {
      outcome,
      steps: trainer.progress.step,
      flops: trainer.ledger.total,
      validation: { loss, accuracy },
      host: network.host,
      grown: network.sizeWith(stayed),
      seeds: seedFates(edges, network.paramsOf),
      model: {
        ...model,
        forward: (scope, x) => network.model.trace(scope, x, stayed).logits,
      },
      weights: Object.fromEntries(weights),
    };
  } finally {
    await session.destroy();
  }
}

/** A whole configuration; what it says of data and host only stands for those of the program. */
function configOf({ split: _, ...settings }: GrowSettings, kind: Dataset["kind"]): RunConfig {
  const images = kind === "images";
  const given = settings satisfies Partial<RunConfigInput>;
  const parsed = RunConfig.safeParse({
    ...given,
    data: { kind: images ? "digits" : "spirals" },
    host: { kind: images ? "cnn" : "mlp" },
    loop: { checkpointTicks: NEVER_TICKS, ...settings.loop },
  });
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw usageError(`settings: ${path.join(".") || "value"}: ${message}`);
}

function checkData({ name, input, classes }: Model, data: Dataset): void {
  if (!sameShape(input, data.shape) || classes !== data.classes.length) {
    throw usageError(
      `grow: want a network for examples ${formatShape(data.shape)} of ${data.classes.length} classes, as ` +
        `${data.name} has, got ${name} for ${formatShape(input)} of ${classes}; change its input and classes`,
    );
  }
}

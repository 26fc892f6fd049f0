import type { RunConfig } from "../contracts/config.ts";
import type { PatientController } from "../contracts/control.ts";
import type { ActionContext } from "../contracts/growth.ts";
import type { ChooseVariant } from "../engine/compile/schedule.ts";
import { ExampleStore } from "../engine/data/example_store.ts";
import { requireHalves } from "../engine/compile/storage.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { LOSS_SCALE_NUMBERS } from "../engine/optim/loss_scale.ts";
import { Lookahead } from "../engine/optim/lookahead.ts";
import { momentsOf, Optimizer } from "../engine/optim/optimizer.ts";
import { ParameterStore } from "../engine/optim/parameter_store.ts";
import { legalActions } from "../kasmina/mod.ts";
import { type Bus, createMemoryBus } from "../oona/mod.ts";
import { createController, type Policy } from "../tamiyo/mod.ts";
import { createTezzeret, createWorkshop, type Workshop } from "../tezzeret/mod.ts";
import { type Checkpoint, type Hooks, Trainer } from "../tolaria/mod.ts";
import { createMemoryStore } from "../urza/mod.ts";
import type { AnyEnvelope } from "../contracts/events.ts";
import type { NetworkInput } from "../contracts/exported.ts";
import { UnavailableError } from "../util/errors.ts";
import type { LoadedDataset } from "./loaded_dataset.ts";
import type { RunFiles } from "./run_files.ts";
import {
  configHash,
  forgetDamaged,
  readCheckpoint,
  weightsHash,
  writeCheckpoint,
  type WrittenCheckpoint,
} from "./checkpoint.ts";
import { checkFit } from "./checkpoint_fit.ts";
import { Journal } from "./journal.ts";
import type { Network } from "./network.ts";
import type { Supervisor } from "./supervisor.ts";
import { ESPER_VERSION } from "./versions.ts";

/** Everything that a run trains with, wired together. */
export interface Session {
  readonly bus: Bus;
  readonly journal: Journal;
  readonly network: Network;
  readonly trainer: Trainer;
  /** What the network takes, for those who use it outside: see `NetworkInput`. */
  readonly input: NetworkInput;
  /** SHA-256 of the weights in the last checkpoint that was kept; null before the first. */
  readonly weights: string | null;
  /** @throws {UnavailableError} where the last checkpoint could not be kept, as nothing answered */
  requireKept(): void;
  /** Compiles, and goes on from the folder's newest checkpoint where asked. */
  start(resume: boolean): Promise<Start>;
  destroy(): Promise<void>;
}

/** Where a session began. */
export interface Start {
  /** The checkpoint that it goes on from; null for the beginning. */
  readonly from: string | null;
  /** What is wrong with each newer one, in a line. */
  readonly damaged: readonly string[];
}

export interface SessionParts {
  readonly config: RunConfig;
  readonly gpu: Gpu;
  readonly data: LoadedDataset;
  /** Built from this configuration and this data. */
  readonly network: Network;
  /** Null where nothing is to be written. */
  readonly folder: RunFiles | null;
  readonly onEvent: (event: AnyEnvelope) => void;
  readonly hooks?: readonly Hooks[];
  /** Decides instead of the configuration's controller. */
  readonly controller?: PatientController;
  /** Has a say in what the controller decides. */
  readonly supervisor?: Supervisor;
  /** What a gnn controller decides by. */
  readonly policy?: Policy | null;
  /** How kernels are chosen; `save` is called before a checkpoint is kept. */
  readonly kernels?: { readonly choose: ChooseVariant; save(): void };
  /** What messages travel by; closed with the session. Default: within the process. */
  readonly bus?: Bus;
  /** Where blueprints are compiled; closed with the session. Default: on this thread and device. */
  readonly workshop?: Workshop;
}

/** Builds the subsystems and connects them. */
export function createSession(parts: SessionParts): Session {
  const { config: asked, gpu, data, network, folder, onEvent, hooks = [], kernels } = parts;
  // What the data allows: a substitute may not be mirrored, say.
  const config = asked.data.kind === "spirals"
    ? asked
    : { ...asked, data: { ...asked.data, augment: data.augment } };
  const bus = parts.bus ?? createMemoryBus();
  const journal = new Journal(bus, folder, onEvent);
  const examples = new ExampleStore(gpu, data.dataset, data.split, config.seed);
  const { precision, lossScale } = config.engine;
  if (precision === "mixed") requireHalves(gpu, "engine.precision");
  const slowly = config.train.optimizer.kind === "sgd" && config.train.optimizer.lookahead !== undefined;
  const store = new ParameterStore(
    gpu,
    network.capacity + (precision === "mixed" ? LOSS_SCALE_NUMBERS : 0),
    momentsOf(config.train.optimizer),
    slowly,
  );
  const lookahead = slowly ? new Lookahead(gpu, store) : null;
  const optimizer = new Optimizer(gpu, store, config.train.optimizer, {
    clip: config.train.optimizer.clip > 0,
    norms: true,
    ...(precision === "mixed" ? { lossScale } : {}),
  });

  const tezzeret = createTezzeret({
    adapter: gpu.adapter,
    precision,
    workshop: parts.workshop ?? createWorkshop({ gpu, precision }),
    store: folder?.store ?? createMemoryStore(),
    version: ESPER_VERSION,
  });
  // A seed trains once a program that holds it runs.
  bus.subscribe("seed.edge", async ({ payload: { to, blueprint, slot } }) => {
    if (to !== "TRAINING" || blueprint === null) return;
    await tezzeret.deploy(network.blueprint(blueprint), network.shapeOf(slot));
  }, { name: "tezzeret" });

  /** Has whatever may be sown compiled before it is: a thread of its own and a GPU have the time. */
  function prepareBlueprints(): void {
    for (const slot of network.model.slots) {
      for (const name of config.growth.blueprints) {
        tezzeret.prepare(network.blueprint(name), network.shapeOf(slot));
      }
    }
  }

  const decider = parts.controller ??
    createController(config.controller, config.seed, parts.policy ?? undefined);
  const controller = parts.supervisor?.supervise(
    decider,
    (payload) => void bus.publish("person.decided", payload),
  ) ?? decider;

  let weights: string | null = null, unkept: UnavailableError | null = null;
  async function keep(checkpoint: Checkpoint): Promise<void> {
    if (!folder) return;
    const started = performance.now();
    await bus.drain();
    kernels?.save();
    let written: WrittenCheckpoint;
    try {
      const logs = folder.syncLogs();
      await folder.mirror?.();
      written = await writeCheckpoint(folder.store, checkpoint, {
        config: await identity(config),
        logs,
        keep: config.loop.keepCheckpoints,
      });
      unkept = null;
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      unkept = error;
      await bus.publish("notice", {
        level: "warning",
        text:
          `no checkpoint at step ${checkpoint.present.state.progress.step}, training goes on: ${error.message}`,
      });
      return;
    }
    const { name, uncollected } = written;
    if (uncollected !== null) {
      await bus.publish("notice", {
        level: "warning",
        text: `nothing was removed from the store: ${uncollected}`,
      });
    }
    const { tick, step } = checkpoint.present.state.progress;
    weights = await weightsHash(checkpoint.present);
    const sizeBytes = 4 * checkpoint.present.numbers.reduce((total, numbers) => total + numbers.length, 0);
    await bus.publish("checkpoint.saved", {
      tick,
      step,
      name,
      weights,
      sizeBytes,
      elapsedMs: performance.now() - started,
    });
  }

  const trainer = new Trainer({
    gpu,
    model: network.model,
    examples,
    store,
    optimizer,
    lookahead,
    config,
    host: network.host,
    lifecycle: network.kasmina,
    controller,
    legal: (context: ActionContext) => legalActions(network.kasmina, config.growth.blueprints, context),
    analyse: (topology) => network.analyse(topology),
    candidates: network.candidates,
    bus,
    hooks,
    keep,
    ...kernels && { choose: kernels.choose },
    async admit({ blueprint }, slot) {
      await tezzeret.admit(network.blueprint(blueprint), network.shapeOf(slot));
    },
  });

  return {
    bus,
    journal,
    network,
    trainer,
    get weights() {
      return weights;
    },
    input: {
      shape: [...examples.shape],
      classes: [...data.dataset.classes],
      normalisation: data.dataset.kind === "images" ? examples.stats : null,
    },
    requireKept() {
      if (unkept) throw unkept;
    },
    async start(resume) {
      const earlier = resume && folder ? await readCheckpoint(folder.store, await identity(config)) : null;
      if (earlier) checkFit(earlier, network, store);
      if (resume && folder) {
        folder.truncateLogs(earlier?.logs ?? {});
        journal.edges.push(...folder.edges());
      }
      await trainer.start(earlier?.checkpoint);
      if (earlier && folder) await forgetDamaged(folder.store, earlier);
      if (parts.workshop && !gpu.adapter.software) prepareBlueprints();
      return { from: earlier?.name ?? null, damaged: earlier?.damaged ?? [] };
    },
    async destroy() {
      await bus.close();
      await tezzeret.close();
      await trainer.destroy();
      optimizer.destroy();
      store.destroy();
      examples.destroy();
    },
  };
}

/** Hash of what makes a run itself. How long it may last, who hears of it and where it is kept is not part of that. */
async function identity({ oona: _, urza: __, ...config }: RunConfig): Promise<string> {
  const { maxSteps: ___, ...train } = config.train;
  return await configHash({ ...config, train });
}

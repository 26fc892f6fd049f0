import type { RunConfig } from "../contracts/config.ts";
import type { Action } from "../contracts/control.ts";
import type { AnyEnvelope } from "../contracts/events.ts";
import type { ActionContext } from "../contracts/growth.ts";
import type { Veto } from "../contracts/lifecycle.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import { createController, type Policy } from "../tamiyo/mod.ts";
import { createMemoryStore, type Store } from "../urza/mod.ts";
import { UserError } from "../util/errors.ts";
import { byHand } from "./by_hand.ts";
import { type LoadedNetwork, readNetwork, writeNetwork } from "./export_file.ts";
import { networkOfRun } from "./export_run.ts";
import { keepHost } from "./kept_host.ts";
import type { LoadedDataset } from "./loaded_dataset.ts";
import { buildNetwork, type Network } from "./network.ts";
import { createOnlooker, type Onlooker } from "./onlooker.ts";
import { createSession, type Session } from "./session.ts";

/** A training run that someone watches and steers, a tick at a time; each tick ends in a checkpoint. */
export interface LiveRun {
  readonly session: Session;
  readonly onlooker: Onlooker;
  /** Trains to the end of the running tick, unless the signal or the end of the budget comes first. */
  tick(signal: AbortSignal): Promise<"ticked" | "completed" | "interrupted">;
  /** What the lifecycle would allow now. */
  legal(): Action[];
  /** Why it would refuse an action now; null where it would not. */
  refusal(action: Action): Veto | null;
  /** Asks for an action at the next tick, whatever the controller thinks; null takes the request back. */
  ask(action: Action | null): void;
  readonly asked: Action | null;
  /** Its checkpoints: what another run goes on with where this one's device is lost. */
  readonly store: Store;
  /**
   * The bytes of the network as it stands, fossils folded in and other seeds left out, as `main.ts export` writes them.
   *
   * @throws {UserError} where a seed became a fossil this very tick, and the running programs have yet to take that in.
   */
  exported(): Promise<Uint8Array<ArrayBuffer>>;
  /** Wait for `tick` to return before. */
  close(): Promise<void>;
}

export interface LiveRunParts {
  readonly gpu: Gpu;
  /** Its budget is set by `ticks`. */
  readonly config: RunConfig;
  /** Length of the run, in ticks of a host that does not grow. */
  readonly ticks: number;
  readonly data: LoadedDataset;
  /** The bytes of an exported network that takes the host's place; null for the configuration's host. */
  readonly network: Uint8Array | null;
  /** What a gnn controller decides by. */
  readonly policy: Policy | null;
  /** Where its checkpoints are; the run goes on with the newest. Null: a new run. */
  readonly store: Store | null;
  /** Examples that the onlooker takes at a time. */
  readonly viewed: number;
  readonly onEvent: (event: AnyEnvelope) => void;
}

/** The end of a tick is one already. */
const NEVER_TICKS = 2 ** 40;
/** Forward passes that a training step costs: itself, twice as much backwards, and a share of the evaluations. */
const STEP_PASSES = 3.5;

/**
 * Builds a run and compiles its first programs.
 *
 * @throws {UserError} where the network file or the data will not do.
 */
export async function openLiveRun(parts: LiveRunParts): Promise<LiveRun> {
  const { gpu, data, policy, onEvent } = parts;
  const store = parts.store ?? createMemoryStore();
  const { config, network } = await plan(parts, store);
  const controller = byHand(createController(config.controller, config.seed, policy ?? undefined));
  const session = createSession({
    config,
    gpu,
    data,
    network,
    folder: { store, record() {}, syncLogs: () => ({}), truncateLogs() {}, edges: () => [] },
    onEvent,
    controller,
  });
  const { trainer } = session, { lifecycle } = trainer.parts;
  try {
    await session.start(parts.store !== null);
  } catch (error) {
    await session.destroy();
    throw error;
  }
  const onlooker = createOnlooker(gpu, session, parts.viewed);
  const context = (): ActionContext => ({
    tick: trainer.progress.tick,
    step: trainer.progress.step,
    ticksLeft: trainer.ticksLeft,
    governor: trainer.governor.exhausted ? "rollbacks used up" : null,
  });
  return {
    session,
    onlooker,
    async tick(signal) {
      const { step, stepInTick } = trainer.progress;
      const outcome = await trainer.run(signal, step - stepInTick + config.loop.tickSteps);
      await session.bus.drain();
      if (outcome === "completed") return outcome;
      return trainer.progress.stepInTick === 0 ? "ticked" : "interrupted";
    },
    legal: () => trainer.parts.legal(context()),
    refusal: (action) => lifecycle.check(action, context()),
    ask: controller.ask,
    get asked() {
      return controller.asked;
    },
    store,
    async exported() {
      const { running } = trainer.progress;
      const late = lifecycle.observe().find(({ slot, stage }) =>
        stage === "FOSSILIZED" && running[slot]?.mode !== "fossil"
      );
      if (late) {
        throw new UserError(
          `export: want a network that is settled, got ${late.slot} just kept; train one more tick`,
        );
      }
      await trainer.save();
      const record = { run: config.name, dataset: { name: data.dataset.name }, input: session.input };
      return writeNetwork(await networkOfRun({ name: config.name, config, record, store }));
    },
    async close() {
      onlooker.destroy();
      await session.bus.drain();
      await session.destroy();
    },
  };
}

/** The configuration with its budget, and the network that it begins with. */
async function plan(
  { config: asked, data: { dataset }, network: file, ticks }: LiveRunParts,
  store: Store,
): Promise<{ config: RunConfig; network: Network }> {
  let from: LoadedNetwork | null = null;
  let { host } = asked;
  if (file) {
    from = readNetwork(file, "the file");
    host = { kind: "file", path: "the file", sha256: await keepHost(store, file) };
  }
  const config = { ...asked, host, loop: { ...asked.loop, checkpointTicks: NEVER_TICKS } };
  const network = buildNetwork(config, dataset.shape, dataset.classes.length, from);
  const { batch } = config.train;
  const budgetGflop = ticks * config.loop.tickSteps * batch * STEP_PASSES * network.host.flops / 1e9;
  return { config: { ...config, train: { ...config.train, budgetGflop } }, network };
}

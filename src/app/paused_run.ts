import type { RunConfig } from "../contracts/config.ts";
import type { Action, Decision, Observation } from "../contracts/control.ts";
import type { AnyEnvelope } from "../contracts/events.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import type { Store } from "../urza/mod.ts";
import type { LoadedDataset } from "./loaded_dataset.ts";
import { buildNetwork } from "./network.ts";
import { createSession, type Session } from "./session.ts";

/** A training run that stops at each tick until it is told what to do. Nothing is written. */
export interface PausedRun {
  readonly session: Session;
  /** Says what was decided (at first nothing is to be said) and trains on to the next tick; null where the run is over. */
  advance(action: Action | null): Promise<Observation | null>;
  /** Ends the run, wherever it is. */
  close(): Promise<void>;
}

export interface PausedRunParts {
  readonly gpu: Gpu;
  readonly config: RunConfig;
  readonly data: LoadedDataset;
  /** Keeps what is known of kernels, so that a blueprint is tried once and not once a run. */
  readonly store: Store;
  readonly onEvent: (event: AnyEnvelope) => void;
}

/** Checkpoints serve nobody here. */
const NEVER_TICKS = 2 ** 40;

/** Prepares a run, which begins with the first `advance`. */
export function preparePausedRun({ gpu, config, data, store, onEvent }: PausedRunParts): PausedRun {
  const stop = new AbortController();
  let answer: ((decision: Decision) => void) | null = null;
  let met = Promise.withResolvers<Observation | null>();
  let running: Promise<void> | null = null;
  const session = createSession({
    config: { ...config, loop: { ...config.loop, checkpointTicks: NEVER_TICKS } },
    gpu,
    data,
    network: buildNetwork(config, data.dataset.shape, data.dataset.classes.length),
    folder: { store, record() {}, syncLogs: () => ({}), truncateLogs() {}, edges: () => [] },
    onEvent,
    controller: {
      kind: config.controller.kind,
      decide(observation) {
        const decided = Promise.withResolvers<Decision>();
        answer = decided.resolve;
        met.resolve(observation);
        return decided.promise;
      },
      save: () => null,
      restore() {},
    },
  });

  async function run(): Promise<void> {
    await session.start(false);
    await session.trainer.run(stop.signal);
  }

  return {
    session,
    async advance(action) {
      met = Promise.withResolvers();
      if (running === null) {
        running = run();
        running.then(() => met.resolve(null), (error) => met.reject(error));
      } else {
        answer?.({ action: action ?? { kind: "wait" }, why: "decided from outside", warnings: [] });
        answer = null;
      }
      return await met.promise;
    },
    async close() {
      stop.abort();
      answer?.({ action: { kind: "wait" }, why: "the run is given up", warnings: [] });
      await running?.catch(() => {});
      await session.bus.drain();
      await session.destroy();
    },
  };
}

/** Real training runs as episodes: one decision a tick, paid against the run's twin. */
import type { RunConfig } from "../contracts/config.ts";
import type { Action, Observation } from "../contracts/control.ts";
import type { AnyEnvelope } from "../contracts/events.ts";
import type { RewardConfig } from "../contracts/reward.ts";
import type { Gpu } from "../engine/gpu/device.ts";
import {
  createReward,
  type Environment,
  netAdvantage,
  type Outcome,
  type Reward,
  type TwinCurve,
} from "../tamiyo/mod.ts";
import { seedsWith, type Topology } from "../tolaria/mod.ts";
import type { Store } from "../urza/mod.ts";
import { UserError } from "../util/errors.ts";
import { type PausedRun, preparePausedRun } from "./paused_run.ts";
import type { Task } from "./tasks.ts";
import type { Twins } from "./twins.ts";

/** What an episode came to. Losses and scores in nats. */
export interface EpisodeSummary {
  readonly seed: number;
  /** Sum of all rewards. */
  readonly return: number;
  /** Final loss advantage over the twin, less rent; null where the episode was cut off. */
  readonly score: number | null;
  /** Validation loss of the network that remained, and the twin's. */
  readonly loss: number | null;
  readonly twinLoss: number;
  /** Parameters of the network that remained. */
  readonly params: number | null;
  readonly fossils: Readonly<Record<string, string>>;
  readonly decisions: number;
  readonly germinations: number;
  readonly rollbacks: number;
  /** The governor could not save the run; it counts as a blind guess. */
  readonly broken: boolean;
}

export interface EpisodeParts {
  readonly gpu: Gpu;
  /** What each episode is a run of, with a seed of its own. */
  readonly task: Task;
  readonly twins: Twins;
  readonly reward: RewardConfig;
  /** Keeps verdicts on kernels. */
  readonly store: Store;
  /** Decisions after which an episode is cut off. Default: none, it ends with its run. */
  readonly decisions?: number;
}

/** Episodes of one task, one after the other; several of these live on one device. */
export interface Episodes extends Environment<Observation> {
  /** Of the last episode that ended. */
  readonly summary: EpisodeSummary | null;
  /** Gives up what is running. */
  close(): Promise<void>;
}

interface Running {
  readonly run: PausedRun;
  readonly twin: TwinCurve;
  readonly reward: Reward;
  readonly seed: number;
  observation: Observation;
  decisions: number;
  paid: number;
  readonly tally: { rollbacks: number; germinations: number };
}

/** An environment around real runs. The episode is truncated where `decisions` cut it off, and terminated where its run ended. */
export function createEpisodes(parts: EpisodeParts): Episodes {
  let current: Running | null = null, summary: EpisodeSummary | null = null;

  async function close(): Promise<void> {
    const { run } = current ?? {};
    current = null;
    await run?.close();
  }

  async function reset(seed: number): Promise<Observation> {
    await close();
    const { gpu, store, twins } = parts;
    // Off: the trainer scores nothing on the side, and the twin does the same.
    const config: RunConfig = { ...parts.task.config, seed, controller: { kind: "off" } };
    const data = await parts.task.data(seed);
    const twin = await twins.curveOf(config, data);
    const tally = { rollbacks: 0, germinations: 0 };
    const onEvent = ({ topic, payload }: AnyEnvelope) => {
      if (topic === "governor.rollback") tally.rollbacks++;
      if (topic === "seed.edge" && payload.to === "GERMINATED") tally.germinations++;
    };
    const run = preparePausedRun({ gpu, config, data, store, onEvent });
    const reward = createReward(parts.reward, twin);
    const observation = await run.advance(null).catch(async (error) => {
      await run.close();
      throw error;
    });
    if (observation === null) {
      await run.close();
      throw new UserError(
        `episode: want a run with a tick in it, got ${run.session.trainer.progress.step} steps in all; ` +
          `raise train.budgetGflop or lower loop.tickSteps`,
      );
    }
    current = { run, twin, reward, seed, observation, decisions: 0, paid: 0, tally };
    return observation;
  }

  async function step(action: number) {
    if (!current) throw new Error("episode: want reset before step, got no episode");
    const now = current, { run, reward } = now;
    const chosen = now.observation.legal[action];
    if (!chosen) {
      throw new Error(
        `episode: want an action below ${now.observation.legal.length}, got ${action}; take one of observation.legal`,
      );
    }
    const next = await advance(run, chosen);
    now.decisions++;
    if (next.kind === "tick") {
      now.observation = next.observation;
      const standing = {
        loss: lossOf(now, next.observation.controlLoss),
        flops: run.session.trainer.ledger.total,
      };
      const paid = reward.atTick(standing), truncated = now.decisions === parts.decisions;
      now.paid += paid;
      if (truncated) await end(now, null, false);
      return { observation: next.observation, reward: paid, terminated: false, truncated };
    }
    const broken = next.kind === "broken";
    const fossils = broken ? {} : fossilsOf(run.session.trainer.progress.running);
    const outcome = broken ? wrecked(now) : await outcomeOf(now, fossils, parts.reward.mode);
    const paid = reward.atEnd(outcome);
    now.paid += paid;
    await end(now, { outcome, fossils }, broken);
    return { observation: now.observation, reward: paid, terminated: true, truncated: false };
  }

  async function end(
    now: Running,
    ended: { outcome: Outcome; fossils: Topology } | null,
    broken: boolean,
  ): Promise<void> {
    const { run: { session: { bus, network } }, twin } = now;
    const { outcome = null, fossils = {} } = ended ?? {};
    await bus.drain();
    summary = {
      seed: now.seed,
      return: now.paid,
      score: outcome && netAdvantage(outcome, twin, parts.reward.rent),
      loss: outcome?.loss ?? null,
      twinLoss: twin.final,
      params: outcome && network.sizeWith(fossils).params,
      fossils: Object.fromEntries(Object.entries(fossils).map(([slot, { blueprint }]) => [slot, blueprint])),
      decisions: now.decisions,
      ...now.tally,
      broken,
    };
    await close();
  }

  return {
    get summary() {
      return summary;
    },
    reset,
    step,
    close,
  };
}

const fossilsOf = (topology: Topology) => seedsWith(topology, (mode) => mode === "fossil");

type Next = { kind: "tick"; observation: Observation } | { kind: "over" } | { kind: "broken" };

/** One decision further. A run that the governor gave up is broken; any other error is one. */
async function advance(run: PausedRun, action: Action): Promise<Next> {
  try {
    const observation = await run.advance(action);
    return observation ? { kind: "tick", observation } : { kind: "over" };
  } catch (error) {
    if (error instanceof UserError && run.session.trainer.governor.exhausted) return { kind: "broken" };
    throw error;
  }
}

/** A loss that is not finite is as good as a blind guess. */
function lossOf({ run }: Running, loss: number | null): number {
  const chance = Math.log(run.session.network.model.classes);
  return loss !== null && Number.isFinite(loss) ? loss : chance;
}

function wrecked(now: Running): Outcome {
  const loss = lossOf(now, null);
  return { loss, without: loss, params: 0, flops: 0 };
}

/** Scores what remains: fossils only. */
async function outcomeOf(now: Running, fossils: Topology, mode: RewardConfig["mode"]): Promise<Outcome> {
  const { trainer, network } = now.run.session;
  const score = async (topology: Topology) => {
    await trainer.swap(await trainer.assembler.get(topology));
    return lossOf(now, (await trainer.score("validation")).loss);
  };
  const loss = await score(fossils), grown = network.sizeWith(fossils);
  return {
    loss,
    // What is taken out cannot be put back: its parameters return their room.
    without: mode === "removal" ? await score({}) : loss,
    params: (grown.params - network.host.params) / network.host.params,
    flops: (grown.flops - network.host.flops) / network.host.flops,
  };
}

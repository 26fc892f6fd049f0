/** What a policy learns from: teachers first, then what it plays itself, and what earlier versions of it have played. */
import type { Observation } from "../contracts/control.ts";
import { type KeptTrajectory, TRAJECTORY_VERSION } from "../contracts/trajectory.ts";
import { createController, playEpisode } from "../tamiyo/mod.ts";
import { createActor } from "../tamiyo/rl/actor.ts";
import { createReplayBuffer } from "../tamiyo/rl/replay_buffer.ts";
import { playTrajectory, samplesOf } from "../tamiyo/rl/rollout.ts";
import { account, type Deed } from "./policy_account.ts";
import { SIMULATOR, TEACHERS } from "./policy_episodes.ts";
import { fitPolicy, imitate, weighed } from "./policy_fitting.ts";
import { tell, type Work } from "./policy_work.ts";

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Watches teachers, takes the moments of what is seen, and imitates the better half of their episodes. */
export async function clone(work: Work): Promise<void> {
  const { options: { config }, learner, source } = work, { clone, ppo, from } = config;
  if (from !== undefined) return;
  const played = [];
  for (const kind of clone.teachers) {
    const real = Math.round(clone.episodes * clone.real);
    played.push(
      ...await source.play(
        `clone.${kind}`,
        { simulated: clone.episodes - real, real },
        (environment, { seed }) => playEpisode(environment, createController(TEACHERS[kind], seed), seed),
      ),
    );
  }
  const seen = played.flatMap(({ result }) => result.steps.map(({ observation }) => observation));
  learner.network.adapt?.(seen);
  const better = played.toSorted((a, b) => b.result.return - a.result.return)
    .slice(0, Math.ceil(played.length / 2));
  const samples = better.flatMap(({ result: { steps } }) =>
    samplesOf(
      {
        transitions: steps.map((step) => ({ ...step, logProbability: 0, value: 0 })),
        bootstrap: 0,
        return: 0,
      },
      { gamma: 1, lambda: 1, scale: ppo.rewardScale },
    )
  );
  const fit = await imitate(learner, samples, config, { ...clone, label: "clone" });
  const deeds = played.map(({ job, result: { steps } }): Deed => ({
    ...job,
    observations: steps.map(({ observation }) => observation),
    actions: steps.map(({ action }) => action),
    rewards: steps.map(({ reward }) => reward),
  }));
  work.state = { ...work.state, ...await account(work.state, deeds) };
  const score = meanOf(played.map(({ result }) => result.return));
  tell(work, { kind: "clone", step: 0, scalars: { episodes: played.length, score, ...fit } });
}

/** One iteration of PPO: the policy plays, and learns from what it played. */
export async function iterate(work: Work): Promise<void> {
  const { options: { config }, folder, learner, source, state, hashes } = work, { collect, ppo } = config;
  const started = performance.now();
  const actor = createActor(learner.network, await learner.weights());
  const count = ({ legal }: Observation) => legal.length;
  const played = await source.play(
    `iteration.${state.iteration}`,
    collect,
    (environment, { seed }) => playTrajectory(environment, actor, seed, { floor: ppo.floor, count }),
  );
  const collected = performance.now();
  const buffer = createReplayBuffer(folder.store, collect.keep), version = state.iteration;
  const before = collect.reuse ? await buffer.read(version - 1, version - 1) : [];
  const samples = [...played.map(({ result }) => result), ...before]
    .flatMap((trajectory) => samplesOf(trajectory, { ...ppo, scale: ppo.rewardScale }));
  const left = 1 - state.iteration / config.iterations;
  const fit = await fitPolicy(
    learner,
    samples,
    config,
    state.iteration,
    left,
  );
  const old = config.replay.epochs > 0 ? await buffer.read(0, version - 2) : [];
  const older = old.length > 0 ? await learnFromOlder(work, old, left) : {};
  const deeds = played.map(({ job, result: { transitions } }): Deed => ({
    ...job,
    observations: transitions.map(({ observation }) => observation),
    actions: transitions.map(({ action }) => action),
    rewards: transitions.map(({ reward }) => reward),
  }));
  await buffer.add(
    played.filter(({ job }) => job.task !== SIMULATOR).map(({ job, result }): KeptTrajectory => ({
      ...{ version: TRAJECTORY_VERSION, policy: version, ...job, taskHash: hashes[job.task] },
      ...{ transitions: [...result.transitions], bootstrap: result.bootstrap, return: result.return },
    })),
  );
  work.state = { ...state, ...await account(work.state, deeds), iteration: state.iteration + 1 };
  const returns = (simulated: boolean) =>
    played.filter(({ job }) => (job.task === SIMULATOR) === simulated).map(({ result }) => result.return);
  tell(work, {
    kind: "iteration",
    step: work.state.iteration,
    scalars: {
      ...collect.simulated > 0 && { simulated: meanOf(returns(true)) },
      ...collect.real > 0 && { real: meanOf(returns(false)) },
      decisions: samples.length,
      ...fit,
      ...older,
      secondsCollecting: (collected - started) / 1000,
      secondsLearning: (performance.now() - collected) / 1000,
    },
  });
}

/** Imitates what policies too old for PPO have played, by how much better it was than what is expected now. */
async function learnFromOlder(
  { options: { config }, learner, state }: Work,
  played: readonly KeptTrajectory[],
  left: number,
): Promise<Record<string, number>> {
  const { ppo, replay } = config;
  const actor = createActor(learner.network, await learner.weights());
  const samples = played.flatMap(({ transitions, ...rest }) => {
    const now = transitions.map((one) => ({ ...one, value: actor([one.observation]).values[0] }));
    return samplesOf({ ...rest, transitions: now }, { ...ppo, scale: ppo.rewardScale });
  });
  const fit = await imitate(learner, weighed(samples, replay.temperature), config, {
    ...{ label: `replay.${state.iteration}`, epochs: replay.epochs, learningRate: ppo.learningRate * left },
  });
  return { older: fit.samples, olderCrossEntropy: fit.crossEntropy };
}

import type { Controller, Observation } from "../contracts/control.ts";
import { sameAction } from "./actions.ts";
import type { Environment } from "./rl/types.ts";

/** One decision of an episode: what was seen, which of `observation.legal` was taken, and what that was paid. */
export interface Played {
  readonly observation: Observation;
  readonly action: number;
  readonly reward: number;
}

/** An episode as a controller played it. */
export interface PlayedEpisode {
  readonly steps: readonly Played[];
  /** Sum of all rewards. */
  readonly return: number;
  /** Cut off, not ended: `last` is where it would have gone on from. */
  readonly truncated: boolean;
  readonly last: Observation;
}

/** Lets a controller decide one episode. */
export async function playEpisode(
  environment: Environment<Observation>,
  controller: Pick<Controller, "decide">,
  seed: number,
): Promise<PlayedEpisode> {
  const steps: Played[] = [];
  let observation = await environment.reset(seed);
  for (;;) {
    const { action } = controller.decide(observation);
    const index = observation.legal.findIndex((legal) => sameAction(legal, action));
    const step = await environment.step(index);
    steps.push({ observation, action: index, reward: step.reward });
    observation = step.observation;
    if (!step.terminated && !step.truncated) continue;
    const total = steps.reduce((sum, { reward }) => sum + reward, 0);
    return { steps, return: total, truncated: step.truncated && !step.terminated, last: observation };
  }
}

/** Tamiyo: the controllers that decide when and where the network grows. */
import type { Controller, ControllerConfig } from "../contracts/control.ts";
import { createFixed } from "./controllers/fixed.ts";
import { createGnn, type Policy } from "./controllers/gnn.ts";
import { createHeuristic } from "./controllers/heuristic.ts";
import { createOff } from "./controllers/off.ts";
import { createRandom } from "./controllers/random.ts";

export type { Policy } from "./controllers/gnn.ts";
export { type Played, type PlayedEpisode, playEpisode } from "./play.ts";
export { createReward, netAdvantage, type Outcome, type Reward } from "./reward/reward.ts";
export { TwinCurve } from "./reward/twin_curve.ts";
export type { Environment } from "./rl/types.ts";
export { parseSchedule } from "./schedule.ts";
export { ControllerState } from "./state.ts";

type Kind = ControllerConfig["kind"];
type ConfigOf<K extends Kind> = Extract<ControllerConfig, { kind: K }>;

const controllers: { [K in Kind]: (config: ConfigOf<K>, seed: number, policy?: Policy) => Controller } = {
  off: createOff,
  fixed: createFixed,
  random: createRandom,
  heuristic: createHeuristic,
  gnn: createGnn,
};

/**
 * The controller that a config asks for.
 *
 * @param policy What a gnn controller decides by.
 * @throws when a fixed controller's schedule is still a path: load it with `parseSchedule` first
 *
 * @example
 * ```ts
 * import { ControllerConfig } from "../contracts/control.ts";
 * import { createController } from "./mod.ts";
 * const controller = createController(ControllerConfig.parse({ kind: "random", germinate: 0.5 }), 1);
 * if (controller.kind !== "random") throw new Error();
 * ```
 */
export function createController<K extends Kind>(
  config: ConfigOf<K>,
  seed: number,
  policy?: Policy,
): Controller {
  return controllers[config.kind as K](config, seed, policy);
}

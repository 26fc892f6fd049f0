/** What a policy has learned from. */
import type { Observation } from "../contracts/control.ts";
import { sha256 } from "../util/hash.ts";
import { canonicalJson } from "../util/json.ts";
import type { PolicyCheckpoint } from "./policy_checkpoint.ts";

type Counts = Pick<PolicyCheckpoint, "episodes" | "blueprints" | "data">;

/** An episode as all that was done and paid in it. */
export interface Deed {
  readonly task: string;
  readonly seed: number;
  readonly observations: readonly Observation[];
  readonly actions: readonly number[];
  readonly rewards: readonly number[];
}

/** Counts what is learned from, and adds it to the hash of all that was. */
export async function account(
  state: Counts,
  deeds: readonly Deed[],
): Promise<Counts> {
  const episodes = { ...state.episodes }, blueprints = new Set(state.blueprints);
  for (const { task, observations } of deeds) {
    episodes[task] = (episodes[task] ?? 0) + 1;
    for (const seeds of Object.values(observations[0].candidates)) {
      for (const name of Object.keys(seeds)) blueprints.add(name);
    }
  }
  const told = deeds.map(({ task, seed, actions, rewards }) => ({ task, seed, actions, rewards }));
  const data = await sha256(canonicalJson({ before: state.data, told }));
  return { episodes, blueprints: [...blueprints].sort(), data };
}

import type { Action, Controller, ControllerConfig, Observation } from "../../contracts/control.ts";
import { prng } from "../../util/prng.ts";
import { UserError } from "../../util/errors.ts";
import { readState } from "../state.ts";

/** A trained policy, ready to decide. */
export interface Policy {
  /** SHA-256 of its file. */
  readonly sha256: string;
  /** Scores of the legal actions: their softmax is how likely each is taken. Changes nothing. */
  logits(observation: Observation): ArrayLike<number>;
}

/**
 * Decides by a trained policy: the likeliest legal action or, where the configuration says so, one drawn by the seed and the
 * tick. It remembers nothing; what it sees is the observation alone.
 *
 * @throws {Error} where no policy is given: load the configuration's file first.
 */
export function createGnn(
  { sample }: Extract<ControllerConfig, { kind: "gnn" }>,
  seed: number,
  policy?: Policy,
): Controller {
  if (!policy) {
    throw new Error("createController: want the policy of a gnn controller, got none; read its file first");
  }
  const { sha256 } = policy;
  return {
    kind: "gnn",
    decide(observation) {
      const { tick, legal } = observation;
      const chances = softmax(policy.logits(observation), legal.length);
      const index = sample ? draw(chances, prng(seed, `tamiyo.gnn.${tick}`).uniform()) : largest(chances);
      const why = `${percent(chances[index])} of ${legal.length} legal actions${
        others(chances, legal, index)
      }`;
      return { action: legal[index], why, warnings: [] };
    },
    save: () => ({ kind: "gnn", policy: sha256 }),
    restore(saved) {
      const state = readState("gnn", saved);
      if (state.policy === sha256) return;
      throw new UserError(
        `restore: want the policy with SHA-256 ${state.policy}, which has decided so far, got ${sha256}; give the run its own`,
      );
    },
  };
}

function softmax(logits: ArrayLike<number>, count: number): number[] {
  const scores = Array.from({ length: count }, (_, k) => logits[k]), top = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - top));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The first of the largest. */
const largest = (values: readonly number[]) => values.indexOf(Math.max(...values));

function draw(chances: readonly number[], uniform: number): number {
  let left = uniform;
  const index = chances.findIndex((chance) => (left -= chance) < 0);
  return index < 0 ? largest(chances) : index;
}

/** What came second, for the log. */
function others(chances: readonly number[], legal: readonly Action[], taken: number): string {
  const rest = chances.map((chance, k) => k === taken ? -1 : chance), next = largest(rest);
  if (legal.length < 2) return "";
  const action = legal[next];
  const where = action.kind === "wait" ? "" : ` ${action.slot}`;
  const what = action.kind === "germinate" ? ` with ${action.blueprint}` : "";
  return `; next ${percent(rest[next])}: ${action.kind}${where}${what}`;
}

const percent = (share: number) => `${(100 * share).toFixed(1)}%`;

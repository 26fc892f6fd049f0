import type { RunConfig } from "../../contracts/config.ts";
import type {
  ArmName,
  ArmResult,
  CompletedArm,
  HeadroomArm,
  ProofConfig,
  VariantArm,
} from "../../contracts/proof.ts";
import { sha256 } from "../../util/hash.ts";
import { canonicalJson } from "../../util/json.ts";
import { mergeConfig, resolveConfig } from "../config.ts";
import { loadHost } from "../host_file.ts";
import { buildNetwork } from "../network.ts";
import type { NetworkSize } from "../options.ts";
import { loadPolicy } from "../policy_source.ts";
import { armOf, type Situation } from "./arms.ts";

/** An arm of one seed. */
export interface Job {
  readonly arm: ArmName | HeadroomArm | VariantArm;
  readonly seed: number;
}

export const jobName = ({ arm, seed }: Job) => `${arm}-s${seed}`;

/** What every arm's configuration begins from. */
export interface Task {
  readonly proof: ProofConfig;
  /** Complete, but for the seed. */
  readonly config: RunConfig;
  /** Shape of one example, and number of classes. */
  readonly input: readonly number[];
  readonly classes: number;
}

/** Hash of a run configuration: that of the arm, and of `config.json` in the run's folder. */
export async function runConfigHash(config: unknown): Promise<string> {
  return await sha256(canonicalJson(JSON.parse(JSON.stringify(config))));
}

/** The jobs that a job needs the results of. */
export function needsOf({ arm, seed }: Job, { proof }: Pick<Task, "proof">): Job[] {
  const { needs = [], needsNeighbour } = armOf(arm, proof);
  const own = needs.map((name) => ({ arm: name === "grown" ? proof.grown : name, seed }));
  return needsNeighbour ? [...own, { arm: proof.grown, seed: neighbourOf(seed, proof) }] : own;
}

/** The next seed; that of the last is the first. */
function neighbourOf(seed: number, { seeds: { first, count } }: ProofConfig): number {
  return first + (seed - first + 1) % count;
}

/**
 * The run configuration of a job, complete as the run will keep it, from the results of what it needs.
 *
 * @throws {UserError} where what the proof lays over an arm does not fit.
 */
export async function configOf(
  job: Job,
  task: Task,
  resultOf: (job: Job) => ArmResult | undefined,
): Promise<RunConfig> {
  const { proof, input, classes } = task, { arm, seed } = job;
  const base: RunConfig = { ...task.config, seed };
  const of = (wanted: Job): CompletedArm | null => {
    const result = resultOf(wanted);
    if (!result) throw new Error(`internal: ${jobName(job)} needs ${jobName(wanted)}, which has not run`);
    return result.outcome.status === "completed" ? result.outcome : null;
  };
  const needs = needsOf(job, task);
  const neighbour = needs.find((need) => need.seed !== seed);
  const { from } = await loadHost(base, null);
  const networkOf = (config: RunConfig) => buildNetwork(config, input, classes, from);
  const situation: Situation = {
    proof,
    task: base,
    slots: networkOf({ ...base, controller: { kind: "off" } }).model.slots,
    sizeOf: (config): NetworkSize => networkOf({ ...config, controller: { kind: "off" } }).host,
    of: (name) => of({ arm: name, seed }),
    neighbour: neighbour ? of(neighbour) : null,
  };
  const { change, sets } = armOf(arm, proof);
  const patched = mergeConfig(base, { ...change(situation), name: jobName(job) });
  const config = resolveConfig({ file: patched, sets, flags: {} }, proof.task.profile);
  return (await loadPolicy((await loadHost(config, null)).config, null)).config;
}

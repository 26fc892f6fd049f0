import type { PolicyLogLine } from "../app/adapters/policy_folder.ts";
import type { PolicyTrainingResult } from "../app/train_policy.ts";

/** One line of a policy's training: what happened, and its numbers. */
export function policyLine({ kind, step, scalars }: PolicyLogLine): string {
  const numbers = Object.entries(scalars).map(([name, value]) => `${name} ${Number(value.toPrecision(3))}`);
  return `${kind} ${step}: ${numbers.join(", ")}`;
}

/** What a policy's training came to. */
export function policySummary(
  { outcome, iterations, episodes, policy, directory }: PolicyTrainingResult,
): string[] {
  const played = Object.entries(episodes).map(([task, count]) => `${count} of ${task}`).join(", ") || "none";
  const kept = policy === null
    ? "no policy yet"
    : `${policy.path}: of iteration ${policy.iteration}${
      policy.score === null ? "" : `, mean score ${policy.score.toFixed(4)}`
    }, SHA-256 ${policy.sha256}`;
  return [
    `${outcome} after ${iterations} iterations; episodes: ${played}`,
    kept,
    ...outcome === "interrupted" ? [`go on: train-policy --resume ${directory}`] : [],
  ];
}

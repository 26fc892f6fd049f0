import { PolicyTraining } from "../contracts/policy_training.ts";
import { usageError } from "../util/errors.ts";
import { applySet } from "./config.ts";
import { describeIssues } from "./config_errors.ts";
import { policySchema } from "./config_schema.ts";

/** What flags lay over the file. */
export type PolicyFlags = Partial<Pick<PolicyTraining, "seed" | "iterations" | "minutes">>;

/**
 * Merges file < `--set` < flags, fills in the defaults and checks the whole.
 *
 * @param sets `a.b=value`, in order.
 * @throws {UserError} exit code 2; one line a problem, with path, what is wanted and what there is.
 */
export function resolvePolicyTraining(
  file: unknown,
  flags: PolicyFlags = {},
  sets: readonly string[] = [],
): PolicyTraining {
  const isObject = typeof file === "object" && file !== null && !Array.isArray(file);
  const { $schema: _, ...content } = (isObject ? file : {}) as Record<string, unknown>;
  const schema = policySchema();
  const changed = sets.reduce<unknown>((config, set) => applySet(config, set, schema), content) as object;
  const merged = isObject ? { ...changed, ...flags } : file;
  const parsed = PolicyTraining.safeParse(merged);
  if (parsed.success) return parsed.data;
  const lines = describeIssues(parsed.error.issues, merged, schema).map((line) => `config: ${line}`);
  throw usageError(lines.join("\n"));
}

import { PolicyTraining } from "../contracts/policy_training.ts";
import { usageError } from "../util/errors.ts";

/** What flags lay over the file. */
export type PolicyFlags = Partial<Pick<PolicyTraining, "seed" | "iterations" | "minutes">>;

/**
 * Checks the configuration of a policy's training and fills in its defaults.
 *
 * @throws {UserError} exit code 2; one line a problem, with path and what is wanted.
 */
export function resolvePolicyTraining(file: unknown, flags: PolicyFlags = {}): PolicyTraining {
  const isObject = typeof file === "object" && file !== null && !Array.isArray(file);
  const { $schema: _, ...content } = (isObject ? file : {}) as Record<string, unknown>;
  const parsed = PolicyTraining.safeParse(isObject ? { ...content, ...flags } : file);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) =>
    `config: ${path.join(".") || "the file"}: ${message}`
  );
  throw usageError(lines.join("\n"));
}

import { ProofConfig } from "../../contracts/proof.ts";
import { usageError } from "../../util/errors.ts";

/**
 * Checks the description of a proof and fills in its defaults.
 *
 * @throws {UserError} exit code 2; one line a problem, with path and what is wanted.
 */
export function parseProof(file: unknown): ProofConfig {
  const parsed = ProofConfig.safeParse(file);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) =>
    `config: ${path.join(".") || "the file"}: ${message}`
  );
  throw usageError(lines.join("\n"));
}

import { explainFileError } from "../../urza/adapters/file_errors.ts";
import { usageError, UserError } from "../../util/errors.ts";

/** The policy that comes with Esper. */
const DEFAULT = new URL("../../../configs/policies/default.safetensors", import.meta.url);
/** Largest file that is taken for a policy: above it a slip is likelier. */
const MAX_BYTES = 2 ** 28;

/** The bytes of a policy file; without a path, of the one that comes with Esper. @throws {UserError} if there is none */
export function readPolicyFile(path?: string): Uint8Array<ArrayBuffer> {
  const place = path ?? DEFAULT, name = path ?? decodeURIComponent(DEFAULT.pathname);
  try {
    const { isFile, size } = Deno.statSync(place);
    if (!isFile || size > MAX_BYTES) {
      throw new UserError(
        `${name}: want a file of at most ${MAX_BYTES} bytes, got ${isFile ? size : "no file"}`,
      );
    }
    return Deno.readFileSync(place);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw explainFileError("read", name, error);
    throw usageError(
      `controller.policy: want a policy file, got none at ${name}; \`main.ts train-policy\` writes one`,
    );
  }
}

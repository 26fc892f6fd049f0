import { usageError } from "../../util/errors.ts";
import { parseJson } from "../../util/json.ts";

/** @throws {UserError} exit code 2 if the file cannot be read or is not JSON. */
export function readJson(path: string): unknown {
  try {
    return parseJson(Deno.readTextFileSync(path));
  } catch (error) {
    throw usageError(`${path}: want a readable JSON file, got: ${(error as Error).message}`);
  }
}

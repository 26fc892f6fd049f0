import { explainFileError } from "../../urza/adapters/file_errors.ts";
import { writeWhole } from "../../urza/adapters/whole_file.ts";
import { UserError } from "../../util/errors.ts";
import type { RunContents } from "../export_run.ts";
import { storeOfRun } from "./run_store.ts";
import { parseJson } from "../../util/json.ts";

/** Largest file that is taken for a network: above it a slip is likelier than a network. */
const MAX_BYTES = 2 ** 32;

/** Opens a run folder to look at it: nothing in it is written. */
export function openRun(directory: string): RunContents {
  const name = directory.replace(/\/+$/, "").split("/").at(-1)!;
  const config = readJson(`${directory}/config.json`);
  return {
    name,
    config,
    record: readJson(`${directory}/run.json`),
    store: storeOfRun(directory, name, config),
  };
}

function readJson(path: string): unknown {
  const text = attempt("read", path, () => Deno.readTextFileSync(path));
  try {
    return parseJson(text);
  } catch (error) {
    throw new UserError(`${path}: want JSON, got: ${(error as Error).message}; restore the run's own file`);
  }
}

/** The bytes of an exported network. */
export function readNetworkFile(path: string): Uint8Array<ArrayBuffer> {
  return attempt("read", path, () => {
    const { isFile, size } = Deno.statSync(path);
    if (!isFile || size > MAX_BYTES) {
      throw new UserError(
        `${path}: want a file of at most ${MAX_BYTES} bytes, got ${isFile ? size : "no file"}`,
      );
    }
    return Deno.readFileSync(path);
  });
}

/** Writes a file whole or not at all. */
export function writeNetworkFile(path: string, bytes: Uint8Array): void {
  attempt("write", path, () => writeWhole(path, bytes));
}

function attempt<T>(operation: "read" | "write", path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explainFileError(operation, path, error);
  }
}

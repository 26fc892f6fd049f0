import type { TunedKernels } from "../../contracts/tuned.ts";
import type { AdapterDescription } from "../../engine/gpu/device.ts";
import { explainFileError } from "../../urza/adapters/file_errors.ts";
import { aboveOf, makeFolder, writeWhole } from "../../urza/adapters/whole_file.ts";
import { usageError, UserError } from "../../util/errors.ts";
import { adapterSlug, parseTuned } from "../tuned_kernels.ts";
import { parseJson } from "../../util/json.ts";

const FOLDER = new URL("../../../configs/tuned/", import.meta.url);

/** Where an adapter's tuned choices are kept. */
export function tunedPath(adapter: AdapterDescription): string {
  return decodeURIComponent(new URL(`${adapterSlug(adapter)}.json`, FOLDER).pathname);
}

/**
 * Reads a tuned file; null where there is none.
 *
 * @throws {UserError} if it cannot be read or is no tuned file.
 */
export function readTuned(path: string): TunedKernels | null {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw explainFileError("read", path, error);
  }
  return parseTuned(jsonOf(text, path), path);
}

function jsonOf(text: string, path: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new UserError(`${path}: want JSON, got: ${(error as Error).message}; delete it and tune again`);
  }
}

/** Writes a tuned file, whole or not at all. */
export function writeTuned(path: string, tuned: TunedKernels): void {
  try {
    makeFolder(aboveOf(path));
    writeWhole(path, JSON.stringify(tuned, null, 1) + "\n");
  } catch (error) {
    throw explainFileError("write", path, error);
  }
}

/**
 * What a run goes by: the file asked for, which must be there; `none` for none; by default the adapter's own, if any.
 *
 * @throws {UserError} if the file asked for is not there or not good.
 */
export function findTuned(
  asked: string | undefined,
  adapter: AdapterDescription,
): { path: string; file: TunedKernels } | null {
  if (asked === "none") return null;
  const path = asked ?? tunedPath(adapter);
  const file = readTuned(path);
  if (!file && asked !== undefined) {
    throw usageError(`--tuned: want a file that tune-kernels wrote, or none, got "${asked}"`);
  }
  return file && { path, file };
}

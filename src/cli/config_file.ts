/** Finds and reads what `--config` and `--resume` name. */
import { usageError } from "../util/errors.ts";
import { suggestion } from "../util/nearest.ts";
import { parseJson } from "../util/json.ts";

const CONFIGS = new URL("../../configs/", import.meta.url);
/** Where the configurations of trainings of policies are. */
export const POLICY_CONFIGS = new URL("policies/", CONFIGS);

/** How names of files in `configs/` begin that describe proofs, not runs. */
const PROOF = "prove_";

/** Names of the run configurations that come with the program, or of another folder's files with another ending. */
export function configNames(folder = CONFIGS, ending = ".json"): string[] {
  return namesIn(folder, ending).filter((name) => !name.startsWith(PROOF));
}

/** Names of the descriptions of proofs that come with the program. */
function proofNames(): string[] {
  return namesIn(CONFIGS, ".json").filter((name) => name.startsWith(PROOF));
}

function namesIn(folder: URL, ending: string): string[] {
  return [...Deno.readDirSync(folder)]
    .filter(({ isFile, name }) => isFile && name.endsWith(ending))
    .map(({ name }) => name.slice(0, -ending.length))
    .sort();
}

function readText(path: string | URL): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.IsADirectory) return null;
    if (error instanceof Deno.errors.NotADirectory) return null;
    throw usageError(`config: cannot read ${path}: ${(error as Error).message}`);
  }
}

function parse(text: string, path: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw usageError(`config: ${path} is not JSON: ${(error as Error).message}`);
  }
}

/**
 * Reads a configuration by path or by its name in `configs/` or another folder, with or without `.json`.
 * @throws {UserError} exit code 2 if there is none, or it is not JSON
 */
export function readConfig(name: string, folder = CONFIGS, known = configNames(folder)): unknown {
  const preset = name.endsWith(".json") ? name.slice(0, -".json".length) : name;
  const text = readText(name) ??
    (known.includes(preset) ? readText(new URL(`${preset}.json`, folder)) : null);
  if (text === null) {
    const place = folder === CONFIGS ? "configs/" : "configs/policies/";
    throw usageError(
      `--config: no file "${name}", and none of that name in ${place}${suggestion(preset, known)}`,
    );
  }
  return parse(text, name);
}

/** As `readConfig`, of the description of a proof. */
export function readProof(name: string): unknown {
  return readConfig(name, CONFIGS, proofNames());
}

/**
 * Finds a run folder by path or by its name under `out`, and reads its configuration.
 * @throws {UserError} exit code 2 if there is none
 */
export function readRun(
  run: string,
  out: string,
  asker = "--resume",
): { directory: string; config: unknown } {
  for (const directory of [run, `${out}/${run}`]) {
    const text = readText(`${directory}/config.json`);
    if (text !== null) return { directory, config: parse(text, `${directory}/config.json`) };
  }
  const runs = [...readFolder(out)];
  throw usageError(`${asker}: want a run folder (with config.json), got "${run}"${suggestion(run, runs)}`);
}

function readFolder(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  } catch {
    return [];
  }
}

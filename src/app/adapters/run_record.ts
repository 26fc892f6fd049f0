import { z } from "zod";
import { PROFILES } from "../../contracts/config.ts";
import type { LogLine } from "../../contracts/events.ts";
import { explainFileError } from "../../urza/adapters/file_errors.ts";
import { UserError } from "../../util/errors.ts";
import { parseLog } from "../log_lines.ts";
import { readJson } from "./read_json.ts";

/** What `run.json` says that a replay depends on. */
const Recorded = z.looseObject({
  profile: z.enum(PROFILES),
  unsafeGpu: z.boolean(),
  dataset: z.looseObject({ name: z.string(), sha256: z.string() }),
  adapter: z.looseObject({ description: z.string() }),
});

/**
 * Reads both logs of a run.
 *
 * @throws {UserError} where one of them is missing or broken.
 */
function readLogs(directory: string): LogLine[] {
  return ["metrics.jsonl", "events.jsonl"].flatMap((name) => {
    const path = `${directory}/${name}`;
    return parseLog(readText(path), path);
  });
}

/**
 * Reads what a run left behind and changes nothing: configuration, `run.json`, kernel choices, both logs.
 *
 * @throws {UserError} where one of them is missing or broken.
 */
export function readRunRecord(directory: string, kernels: string) {
  return { ...readRunSettings(directory, kernels), lines: readLogs(directory) };
}

/** As `readRunRecord`, but for the logs. */
export function readRunSettings(directory: string, kernels: string) {
  return {
    config: readJson(`${directory}/config.json`),
    record: parseRecord(readJson(`${directory}/run.json`), `${directory}/run.json`),
    kernels: readJson(`${directory}/${kernels}`),
  };
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw explainFileError("read", path, error);
  }
}

function parseRecord(value: unknown, path: string): z.output<typeof Recorded> {
  const parsed = Recorded.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(
    `${path}: ${issue.path.join(".") || "file"}: ${issue.message}; restore the run's own file`,
  );
}

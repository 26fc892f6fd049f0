import type { ProfileName } from "../../contracts/config.ts";
import { UserError } from "../../util/errors.ts";
import { readJson } from "./read_json.ts";
import { parseJson } from "../../util/json.ts";

/** What `run.json` says that a replay depends on. */
interface Recorded {
  readonly profile: ProfileName;
  readonly unsafeGpu: boolean;
  readonly dataset: { readonly name: string; readonly sha256: string };
  readonly adapter: { readonly description: string };
}

/** Lines of a log, each with the topic of its event. */
// deno-lint-ignore no-explicit-any
type Line = Readonly<Record<string, any>> & { readonly topic: string };

/**
 * Reads what a run left behind and changes nothing: configuration, `run.json`, kernel choices, both logs.
 *
 * @throws {UserError} where one of them is missing or broken.
 */
export function readRunRecord(directory: string, kernels: string) {
  const lines = ["metrics.jsonl", "events.jsonl"].flatMap((name) => {
    const path = `${directory}/${name}`;
    try {
      const text = Deno.readTextFileSync(path);
      return text.split("\n").filter((line) => line !== "").map((line) => parseJson(line) as Line);
    } catch (error) {
      throw new UserError(
        `replay: want a log of JSON lines in ${path}, got: ${(error as Error).message}; restore it`,
      );
    }
  });
  return {
    config: readJson(`${directory}/config.json`),
    record: readJson(`${directory}/run.json`) as Recorded,
    kernels: readJson(`${directory}/${kernels}`),
    lines,
  };
}

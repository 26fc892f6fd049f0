import { explainFileError } from "../../urza/adapters/file_errors.ts";
import { makeFolder, writeWhole } from "../../urza/adapters/whole_file.ts";
import { usageError } from "../../util/errors.ts";
import { canonicalJson } from "../../util/json.ts";
import { USED_FILE } from "../tuned_kernels.ts";
import { readJson } from "./read_json.ts";
import { readRunRecord } from "./run_record.ts";

/**
 * The files of one proof: `manifest.json`, `arms/` with a result an arm and seed, `times/` with what the clock told of it,
 * `runs/` with its run folder, and in the end `proof.json`, `times.json` and `proof.html`.
 */
export class ProofFolder {
  private constructor(readonly path: string) {}

  /** Makes `<out>/<name>-<n>` with the first number that is free. */
  static create(out: string, name: string): ProofFolder {
    for (let n = 1;; n++) {
      const path = `${out}/${name}-${n}`;
      if (!attempt(path, () => makeFolder(path))) continue;
      for (const inner of ["arms", "times", "runs"]) attempt(path, () => makeFolder(`${path}/${inner}`));
      return new ProofFolder(path);
    }
  }

  /** @throws {UserError} exit code 2 if it is no such folder. */
  static open(path: string): ProofFolder {
    if (exists(`${path}/manifest.json`)) return new ProofFolder(path.replace(/\/+$/, ""));
    throw usageError(`--resume: want the folder of a proof, with manifest.json, got "${path}"`);
  }

  get runs(): string {
    return `${this.path}/runs`;
  }

  /** Null where there is no such file. */
  read(name: string): unknown {
    const path = `${this.path}/${name}`;
    return exists(path) ? readJson(path) : null;
  }

  /** Equal values become equal bytes. */
  writeJson(name: string, value: unknown): void {
    this.writeText(name, canonicalJson(JSON.parse(JSON.stringify(value))) + "\n");
  }

  writeText(name: string, text: string): void {
    attempt(`${this.path}/${name}`, () => writeWhole(`${this.path}/${name}`, text));
  }

  /** The run folder of a job that has begun; null where none has. One that was cut off at its birth is removed. */
  runOf(job: string): string | null {
    const path = `${this.runs}/${job}-1`;
    if (exists(`${path}/config.json`)) return path;
    if (exists(path)) attempt(path, () => Deno.removeSync(path, { recursive: true }));
    return null;
  }

  /** What a run left behind: its configuration, `run.json`, and the lines of its logs. */
  runRecord(job: string): ReturnType<typeof readRunRecord> {
    return readRunRecord(`${this.runs}/${job}-1`, USED_FILE);
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explainFileError("write", path, error);
  }
}

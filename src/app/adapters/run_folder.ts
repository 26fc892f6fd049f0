import type { AnyEnvelope, Topic } from "../../contracts/events.ts";
import type { Edge } from "../../contracts/lifecycle.ts";
import { createFileStore } from "../../urza/adapters/files.ts";
import { explainFileError } from "../../urza/adapters/file_errors.ts";
import { makeFolder, writeWhole } from "../../urza/adapters/whole_file.ts";
import type { Store } from "../../urza/mod.ts";
import { parseJson } from "../../util/json.ts";
import type { LogLengths } from "../checkpoint.ts";
import { edgesIn, formatLine, parseLog } from "../log_lines.ts";
import type { RunFiles } from "../run_files.ts";

const METRICS = "metrics.jsonl", EVENTS = "events.jsonl";
const MEASURES: readonly Topic[] = ["step.metrics", "tick.report"];

/** The files of one run: `config.json`, `run.json`, `metrics.jsonl`, `events.jsonl` and `store/` with its checkpoints. */
export class RunFolder implements RunFiles {
  readonly path: string;
  readonly store: Store;
  readonly #logs: Record<string, Deno.FsFile>;

  private constructor(path: string) {
    this.path = path;
    this.store = createFileStore(`${path}/store`);
    const open = (name: string) =>
      attempt(
        "write",
        `${path}/${name}`,
        () => Deno.openSync(`${path}/${name}`, { create: true, read: true, write: true }),
      );
    this.#logs = { [METRICS]: open(METRICS), [EVENTS]: open(EVENTS) };
  }

  /** Makes `<out>/<name>-<n>` with the first number that is free. */
  static create(out: string, name: string): RunFolder {
    attempt("write", out, () => makeFolder(out));
    for (let n = 1;; n++) {
      const path = `${out}/${name}-${n}`;
      if (attempt("write", path, () => makeFolder(path))) return new RunFolder(path);
    }
  }

  static open(path: string): RunFolder {
    return new RunFolder(path);
  }

  get name(): string {
    return this.path.replace(/\/+$/, "").split("/").at(-1)!;
  }

  /** Null where there is no such file. */
  readJson(name: string): unknown {
    const path = `${this.path}/${name}`;
    return attempt("read", path, () => {
      try {
        return parseJson(Deno.readTextFileSync(path));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return null;
        throw error;
      }
    });
  }

  writeJson(name: string, value: unknown): void {
    const path = `${this.path}/${name}`;
    attempt("write", path, () => writeWhole(path, JSON.stringify(value, null, 2) + "\n"));
  }

  /** Appends an event to the log that it belongs in. */
  record(event: AnyEnvelope): void {
    const name = MEASURES.includes(event.topic) ? METRICS : EVENTS;
    const line = new TextEncoder().encode(formatLine(event));
    attempt("write", `${this.path}/${name}`, () => {
      const file = this.#logs[name];
      file.seekSync(0, Deno.SeekMode.End);
      for (let done = 0; done < line.length;) done += file.writeSync(line.subarray(done));
    });
  }

  /** Lengths of the logs, safe on disk. */
  syncLogs(): LogLengths {
    return Object.fromEntries(
      Object.entries(this.#logs).map(([name, file]) =>
        attempt("write", `${this.path}/${name}`, () => {
          file.syncSync();
          return [name, file.statSync().size];
        })
      ),
    );
  }

  /** Cuts the logs back to what a checkpoint had seen. */
  truncateLogs(lengths: LogLengths): void {
    for (const [name, file] of Object.entries(this.#logs)) {
      attempt(
        "write",
        `${this.path}/${name}`,
        () => file.truncateSync(Math.min(lengths[name] ?? 0, file.statSync().size)),
      );
    }
  }

  /** The edges logged so far. */
  edges(): Edge[] {
    const path = `${this.path}/${EVENTS}`;
    const text = attempt("read", path, () => Deno.readTextFileSync(path));
    return edgesIn(parseLog(text, path));
  }

  close(): void {
    for (const file of Object.values(this.#logs)) file.close();
  }
}

function attempt<T>(operation: "read" | "write", path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explainFileError(operation, path, error);
  }
}

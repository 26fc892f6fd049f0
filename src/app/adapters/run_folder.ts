import type { AnyEnvelope, Topic } from "../../contracts/events.ts";
import type { Edge } from "../../contracts/lifecycle.ts";
import { createFileStore } from "../../urza/adapters/files.ts";
import { explainFileError } from "../../urza/adapters/file_errors.ts";
import { makeFolder, writeWhole } from "../../urza/adapters/whole_file.ts";
import type { Store } from "../../urza/mod.ts";
import { UserError } from "../../util/errors.ts";
import { type Json, parseJson } from "../../util/json.ts";
import type { LogLengths } from "../checkpoint.ts";
import { edgesIn, formatLine, parseLog } from "../log_lines.ts";
import { USED_FILE } from "../tuned_kernels.ts";
import type { RunFiles } from "../run_files.ts";
import type { SharedStore } from "./run_store.ts";

const METRICS = "metrics.jsonl", EVENTS = "events.jsonl";
const MEASURES: readonly Topic[] = ["step.metrics", "tick.report"];

/** Files that a run elsewhere goes on with. */
const MIRRORED = ["config.json", "run.json", USED_FILE];

/** A piece of a log, as a blob. */
interface LogPiece {
  readonly hash: string;
  readonly sizeBytes: number;
}

const lengthOf = (pieces: readonly LogPiece[]) => pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

/** The files of one run: `config.json`, `run.json`, `metrics.jsonl`, `events.jsonl` and `store/` with its checkpoints. */
export class RunFolder implements RunFiles {
  readonly path: string;
  readonly store: Store;
  readonly #logs: Record<string, Deno.FsFile>;
  readonly #shared: boolean;
  /** Pieces of each log that a shared store has. */
  readonly #mirrored: Record<string, LogPiece[]> = { [METRICS]: [], [EVENTS]: [] };

  private constructor(path: string, shared: SharedStore | null) {
    this.path = path;
    this.#shared = shared !== null;
    this.store = shared?.of(this.name) ?? createFileStore(`${path}/store`);
    const open = (name: string) =>
      attempt(
        "write",
        `${path}/${name}`,
        () => Deno.openSync(`${path}/${name}`, { create: true, read: true, write: true }),
      );
    this.#logs = { [METRICS]: open(METRICS), [EVENTS]: open(EVENTS) };
  }

  /**
   * Makes `<out>/<name>-<n>` with the first number that is free; with a store that other machines share, a number that
   * none of them has.
   */
  static create(out: string, name: string, shared: SharedStore | null = null): RunFolder {
    attempt("write", out, () => makeFolder(out));
    for (let n = 1;; n++) {
      const path = `${out}/${name}-${shared ? crypto.randomUUID().slice(0, 8) : n}`;
      if (attempt("write", path, () => makeFolder(path))) return new RunFolder(path, shared);
    }
  }

  static open(path: string, shared: SharedStore | null = null): RunFolder {
    return new RunFolder(path, shared);
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
      const pieces = this.#mirrored[name];
      while (lengthOf(pieces) > file.statSync().size) pieces.pop();
    }
  }

  async mirror(): Promise<void> {
    if (!this.#shared) return;
    for (const [name, file] of Object.entries(this.#logs)) {
      const pieces = this.#mirrored[name], from = lengthOf(pieces);
      const bytes = attempt("read", `${this.path}/${name}`, () => {
        const bytes = new Uint8Array(file.statSync().size - from);
        file.seekSync(from, Deno.SeekMode.Start);
        for (let done = 0; done < bytes.length;) done += file.readSync(bytes.subarray(done))!;
        return bytes;
      });
      if (bytes.length > 0) {
        pieces.push({ hash: await this.store.put(bytes), sizeBytes: bytes.length });
      }
    }
    const files = Object.fromEntries(MIRRORED.map((name) => [name, this.readJson(name) as Json]));
    await this.store.writeManifest("run", "files", { files, logs: this.#mirrored } as unknown as Json);
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

/**
 * Makes the folder of a run from what a shared store has of it, so that the run can be gone on with here. Resolves to the
 * folder's path.
 *
 * @throws {UserError} where the store knows no such run, or the folder is there
 */
export async function checkOutRun(store: Store, run: string, out: string): Promise<string> {
  const { files, logs } = await store.readManifest("run", "files") as unknown as {
    files: Record<string, Json>;
    logs: Record<string, LogPiece[]>;
  };
  const path = `${out}/${run}`;
  attempt("write", out, () => makeFolder(out));
  if (!attempt("write", path, () => makeFolder(path))) {
    throw new UserError(
      `store checkout: want no folder ${path} yet, got one; choose another --out, or resume it`,
    );
  }
  for (const name of [METRICS, EVENTS]) {
    const pieces = await Promise.all(logs[name].map(({ hash }) => store.get(hash)));
    const bytes = new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    attempt("write", `${path}/${name}`, () => writeWhole(`${path}/${name}`, bytes));
  }
  for (const name of MIRRORED) {
    if (files[name] === null) continue;
    const text = JSON.stringify(files[name], null, 2) + "\n";
    attempt("write", `${path}/${name}`, () => writeWhole(`${path}/${name}`, text));
  }
  return path;
}

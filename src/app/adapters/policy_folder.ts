import { encodeFileVersion, encodeScalars } from "../../engine/io/tensorboard.ts";
import { explainFileError } from "../../urza/adapters/file_errors.ts";
import { createFileStore } from "../../urza/adapters/files.ts";
import type { Store } from "../../urza/mod.ts";
import { finiteOrText } from "../../util/json.ts";
import type { LogLengths } from "../checkpoint.ts";
import { writeWhole } from "../../urza/adapters/whole_file.ts";

const LOG = "log.jsonl", EVENTS = "events.out.tfevents.esper";

/** One line of the log: what happened, numbers by name, and whatever else belongs to it. */
export interface PolicyLogLine {
  readonly kind: string;
  /** Iterations done. */
  readonly step: number;
  readonly scalars: Readonly<Record<string, number>>;
  readonly [key: string]: unknown;
}

/**
 * The files of one training of a policy: `config.json`, `log.jsonl`, the same numbers for TensorBoard, `store/` with
 * checkpoints, trajectories and twins, and in the end `policy.safetensors`.
 */
export class PolicyFolder {
  readonly path: string;
  readonly store: Store;
  readonly #files: Record<string, Deno.FsFile>;

  private constructor(path: string) {
    this.path = path;
    this.store = createFileStore(`${path}/store`);
    const open = (name: string) =>
      attempt(
        `${path}/${name}`,
        () => Deno.openSync(`${path}/${name}`, { create: true, read: true, write: true }),
      );
    this.#files = { [LOG]: open(LOG), [EVENTS]: open(EVENTS) };
  }

  /** Makes `<out>/<name>-<n>` with the first number that is free. */
  static create(out: string, name: string): PolicyFolder {
    attempt(out, () => Deno.mkdirSync(out, { recursive: true }));
    for (let n = 1;; n++) {
      const path = `${out}/${name}-${n}`;
      try {
        Deno.mkdirSync(path);
        return new PolicyFolder(path);
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw explainFileError("write", path, error);
      }
    }
  }

  static open(path: string): PolicyFolder {
    return new PolicyFolder(path);
  }

  write(name: string, content: string | Uint8Array): void {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    writeWhole(`${this.path}/${name}`, bytes);
  }

  /** Appends to both logs. */
  log(line: PolicyLogLine): void {
    const time = Date.now();
    this.#append(LOG, new TextEncoder().encode(JSON.stringify({ ...line, time }, finiteOrText) + "\n"));
    if (this.#files[EVENTS].statSync().size === 0) this.#append(EVENTS, encodeFileVersion(time / 1000));
    const scalars = Object.fromEntries(
      Object.entries(line.scalars).map(([name, value]) => [`${line.kind}/${name}`, value]),
    );
    this.#append(EVENTS, encodeScalars({ step: line.step, time: time / 1000, scalars }));
  }

  #append(name: string, bytes: Uint8Array): void {
    attempt(`${this.path}/${name}`, () => {
      const file = this.#files[name];
      file.seekSync(0, Deno.SeekMode.End);
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    });
  }

  /** Lengths of the logs, safe on disk. */
  syncLogs(): LogLengths {
    return Object.fromEntries(
      Object.entries(this.#files).map(([name, file]) =>
        attempt(`${this.path}/${name}`, () => {
          file.syncSync();
          return [name, file.statSync().size];
        })
      ),
    );
  }

  /** Cuts the logs back to what a checkpoint had seen. */
  truncateLogs(lengths: LogLengths): void {
    for (const [name, file] of Object.entries(this.#files)) {
      attempt(
        `${this.path}/${name}`,
        () => file.truncateSync(Math.min(lengths[name] ?? 0, file.statSync().size)),
      );
    }
  }

  close(): void {
    for (const file of Object.values(this.#files)) file.close();
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explainFileError("write", path, error);
  }
}

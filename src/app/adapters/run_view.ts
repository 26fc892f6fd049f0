import type { AnyEnvelope, Topic } from "../../contracts/events.ts";
import { topics } from "../../contracts/events.ts";
import { UserError } from "../../util/errors.ts";
import { parseJson } from "../../util/json.ts";
import type { RunContents } from "../export_run.ts";
import type { KernelReport } from "../kernel_profile.ts";
import { openRun } from "./export_files.ts";

const LOGS = ["metrics.jsonl", "events.jsonl"];

/** A run's folder as it is looked at; nothing in it is written. */
export interface RunView extends RunContents {
  readonly directory: string;
  /** What the run has told, in the order of the times it was told at. */
  readonly events: readonly AnyEnvelope[];
  /** What `--profile-kernels` found, where it was given. */
  readonly kernels: KernelReport | null;
}

/** The log's whole lines from `from` on, and where they end: a run that goes on may be within a line. */
function readLines(path: string, from: number): { events: AnyEnvelope[]; end: number } {
  using file = Deno.openSync(path);
  const { size } = file.statSync();
  if (size <= from) return { events: [], end: Math.min(from, size) };
  const bytes = new Uint8Array(size - from);
  file.seekSync(from, Deno.SeekMode.Start);
  let read = 0;
  for (let more = 1; read < bytes.length && more > 0; read += more) {
    more = file.readSync(bytes.subarray(read)) ?? 0;
  }
  const whole = bytes.subarray(0, read).lastIndexOf(10) + 1, end = from + whole;
  const lines = new TextDecoder().decode(bytes.subarray(0, whole)).split("\n").filter((line) => line !== "");
  const events = lines.map((line) => {
    const { topic, time, ...payload } = parseJson(line) as { topic: Topic; time: number };
    return { id: 0, topic, time, payload } as unknown as AnyEnvelope;
  }).filter(({ topic }) => topic in topics);
  return { events, end };
}

/** Hands out what a run's logs tell: all of it at first, then what was added; `cut` where a log has become shorter. */
export function followLogs(directory: string): () => { events: AnyEnvelope[]; cut: boolean } {
  const ends: Record<string, number> = Object.fromEntries(LOGS.map((name) => [name, 0]));
  const read = (): { events: AnyEnvelope[]; cut: boolean } => {
    const parts = LOGS.map((name) => {
      const path = `${directory}/${name}`;
      try {
        const { events, end } = readLines(path, ends[name]);
        const cut = end < ends[name];
        ends[name] = end;
        return { events, cut };
      } catch (error) {
        throw new UserError(
          `${path}: want a log of JSON lines, got: ${(error as Error).message}; restore it`,
        );
      }
    });
    if (parts.some(({ cut }) => cut)) {
      for (const name of LOGS) ends[name] = 0;
      return { events: read().events, cut: true };
    }
    return { events: parts.flatMap(({ events }) => events).sort((a, b) => a.time - b.time), cut: false };
  };
  return read;
}

/** What a run profiled; null where it did not. @throws {UserError} where that is broken */
export function readKernels(directory: string): KernelReport | null {
  const path = `${directory}/profile.json`;
  try {
    return parseJson(Deno.readTextFileSync(path)) as KernelReport;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new UserError(
      `${path}: want the profile that a run wrote, got: ${(error as Error).message}; remove it`,
    );
  }
}

/**
 * Reads what a run has left so far.
 *
 * @throws {UserError} where one of its files is missing or broken.
 */
export function viewRun(directory: string): RunView {
  const path = directory.replace(/\/+$/, "");
  return {
    ...openRun(path),
    directory: path,
    events: followLogs(path)().events,
    kernels: readKernels(path),
  };
}

/** Folders of runs in a folder, by name; none where it is not there. */
export function runFolders(out: string): string[] {
  try {
    return [...Deno.readDirSync(out)].filter(({ isDirectory, name }) =>
      isDirectory && isRun(`${out}/${name}`)
    )
      .map(({ name }) => `${out}/${name}`)
      .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  }
}

function isRun(path: string): boolean {
  return ["config.json", "run.json", ...LOGS].every((name) => {
    try {
      return Deno.statSync(`${path}/${name}`).isFile;
    } catch {
      return false;
    }
  });
}

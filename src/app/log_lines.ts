import { type AnyEnvelope, LogLine } from "../contracts/events.ts";
import type { Edge } from "../contracts/lifecycle.ts";
import { UserError } from "../util/errors.ts";
import { finiteOrText, parseJson } from "../util/json.ts";

/** The line of an event, its end included. */
export function formatLine({ topic, payload, time }: AnyEnvelope): string {
  return JSON.stringify({ topic, ...payload, time }, finiteOrText) + "\n";
}

/**
 * The lines of a run's log, which may come from anywhere.
 *
 * @throws {UserError} naming the first line that is not one, and what is wrong with it.
 */
export function parseLog(text: string, path: string): LogLine[] {
  return text.split("\n").flatMap((line, k) => line === "" ? [] : [parseLine(line, `${path}:${k + 1}`)]);
}

/** The edges among lines, without what only makes them lines. */
export function edgesIn(lines: readonly LogLine[]): Edge[] {
  return lines.flatMap((line) => {
    if (line.topic !== "seed.edge") return [];
    const { topic: _, time: __, ...edge } = line;
    return [edge];
  });
}

function parseLine(line: string, where: string): LogLine {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch (error) {
    throw new UserError(`${where}: want a line of JSON, got: ${(error as Error).message}; restore the log`);
  }
  const parsed = LogLine.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new UserError(`${where}: ${path.join(".") || "line"}: ${message}; restore the log`);
}

/** `tail`: what a run tells, from any machine that reaches its Redis server. */
import { RunConfig } from "../contracts/config.ts";
import { formatLine } from "../app/log_lines.ts";
import { eventLines } from "../report/event_lines.ts";
import { usageError } from "../util/errors.ts";
import type { Command, Option, Values } from "./command.ts";
import { withInterrupt } from "./interrupt.ts";
import { print, printError } from "./output.ts";

/** The option of commands that follow a run over a server. */
export const OONA: Option = {
  name: "oona",
  value: "URL",
  summary: "Redis server that the run publishes on; RUN is its name there; see oona in the configuration",
  example: "redis://127.0.0.1:6379",
};

/** The server that `--oona` names, checked as the configuration's is; null where it is not given. */
export function checkOona(command: string, values: Values): string | null {
  if (values.oona === undefined) return null;
  const parsed = RunConfig.shape.oona.safeParse({ kind: "redis", url: values.oona });
  if (parsed.success) return values.oona as string;
  throw usageError(`${command}: --oona: ${parsed.error.issues[0].message}`);
}

async function run(values: Values, [name]: readonly string[]): Promise<number> {
  const url = checkOona("tail", values);
  if (name === undefined || url === null) throw usageError("tail: want RUN and --oona URL");
  const { from, group } = values as { from?: number; group?: string };
  const { followRun } = await import("../app/adapters/follow_run.ts");
  await withInterrupt(() => {}, async (interrupted) => {
    const ended = new AbortController();
    await followRun(url, name, {
      signal: AbortSignal.any([interrupted, ended.signal]),
      ...from !== undefined && { from },
      ...group !== undefined && { group },
      onAway: printError,
    }, (event) => {
      if (values.json) print(formatLine(event));
      else for (const line of eventLines(event.topic, event.payload as never)) print(`${line}\n`);
      if (event.topic === "run.finished") ended.abort();
    });
  });
  return 0;
}

export const tail: Command = {
  name: "tail",
  summary: "print what a run tells over Redis, from its first message to its end",
  positionals: ["RUN"],
  options: [
    OONA,
    {
      name: "from",
      value: "N",
      type: "integer",
      range: [1, Number.MAX_SAFE_INTEGER],
      summary: "sequence number of the first message",
      default: "the oldest that the server keeps",
    },
    {
      name: "group",
      value: "NAME",
      summary: "share the messages with others of that group, and go on where the group has stopped",
    },
    { name: "json", summary: "print every message as a line of JSON, as in the run's logs" },
  ],
  examples: [
    "tail cifar10-1 --oona redis://127.0.0.1:6379",
    "tail cifar10-1 --oona rediss://watcher@db.example:6379 --json --group archive",
  ],
  run,
};

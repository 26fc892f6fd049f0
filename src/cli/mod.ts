/** The command line: finds the command, runs it, turns errors into one line and an exit code. */
import { EXIT_FAILURE, usageError, UserError } from "../util/errors.ts";
import { suggestion } from "../util/nearest.ts";
import type { Command } from "./command.ts";
import { commandHelp } from "./help_text.ts";
import { print, printError } from "./output.ts";
import { parseCommand } from "./parse.ts";
import { commands } from "./table.ts";

/** Flags first means the first command; nothing at all, `help`, the last. */
function choose(args: readonly string[]): { command: Command; rest: readonly string[] } {
  const [first = "help", ...rest] = args;
  if (first === "--help" || first === "-h") return { command: commands.at(-1)!, rest };
  if (first.startsWith("-")) return { command: commands[0], rest: args };
  const command = commands.find(({ name }) => name === first);
  if (command !== undefined) return { command, rest };
  throw usageError(`unknown command "${first}"${suggestion(first, commands.map(({ name }) => name))}`);
}

/** Without leave to read the environment there is nothing to be debugged. */
function debugging(): boolean {
  try {
    return Deno.env.get("ESPER_DEBUG") === "1";
  } catch {
    return false;
  }
}

function report(error: unknown): number {
  const { message } = error instanceof Error ? error : new Error(String(error));
  printError(`esper: ${message}`);
  if (debugging() && error instanceof Error) printError(error.stack ?? "");
  else if (!(error instanceof UserError)) printError("esper: ESPER_DEBUG=1 shows where this came from");
  return error instanceof UserError ? error.exitCode : EXIT_FAILURE;
}

/** Runs one command line; resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const { command, rest } = choose(args);
    const { values, positionals } = parseCommand(command, rest);
    if (!values.help) return await command.run(values, positionals);
    print(`${commandHelp(command)}\n`);
    return 0;
  } catch (error) {
    return report(error);
  }
}

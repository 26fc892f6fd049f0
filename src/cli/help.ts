/** `help`: what there is, and how to use it. */
import { usageError } from "../util/errors.ts";
import { suggestion } from "../util/nearest.ts";
import type { Command } from "./command.ts";
import { commandHelp, programHelp } from "./help_text.ts";
import { print } from "./output.ts";

/** The `help` command over a table of commands. */
export function helpCommand(commands: () => readonly Command[]): Command {
  return {
    name: "help",
    summary: "show help, of a command if one is named",
    positionals: ["[COMMAND]"],
    options: [],
    examples: ["help", "help train"],
    run(_values, [name]) {
      const all = commands();
      const command = all.find((one) => one.name === name);
      if (name !== undefined && command === undefined) {
        throw usageError(`help: unknown command "${name}"${suggestion(name, all.map((one) => one.name))}`);
      }
      print(`${command === undefined ? programHelp(all) : commandHelp(command)}\n`);
      return Promise.resolve(0);
    },
  };
}

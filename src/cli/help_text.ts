/** Help, made from the table of commands. */
import { type Command, HELP_OPTION, type Option } from "./command.ts";

const PROGRAM = "deno run -A main.ts";

function leftOf(option: Option): string {
  const value = option.choices?.join("|") ?? option.value;
  return `  --${option.name}${value === undefined ? "" : ` ${value}`}`;
}

function rightOf(option: Option): string {
  const notes = [
    option.repeatable ? "may be repeated" : "",
    option.default === undefined ? "" : `default ${option.default}`,
    option.example === undefined ? "" : `such as ${option.example}`,
  ].filter((note) => note !== "");
  return notes.length === 0 ? option.summary : `${option.summary} (${notes.join("; ")})`;
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`);
}

function optionLines(command: Command): string[] {
  return columns([...command.options, HELP_OPTION].map((option) => [leftOf(option), rightOf(option)]));
}

function exampleLines(command: Command): string[] {
  return ["examples:", ...command.examples.map((example) => `  ${PROGRAM} ${example}`)];
}

/** Help of the whole program: its commands, and the options of the first, which needs no naming. */
export function programHelp(commands: readonly Command[]): string {
  return [
    "Esper trains a network on WebGPU and grows it while it trains.",
    "",
    `usage: ${PROGRAM} [COMMAND] [OPTIONS]`,
    "",
    "commands:",
    ...columns(commands.map(({ name, summary }) => [`  ${name}`, summary])),
    "",
    `options of ${commands[0].name}, which is the command where none is named:`,
    ...optionLines(commands[0]),
    "",
    ...exampleLines(commands[0]),
    "",
    `${PROGRAM} COMMAND --help shows the options of a command.`,
    "Exit codes: 0 done, 1 failure, 2 usage, 130 interrupted.",
  ].join("\n");
}

/** Help of one command: options with defaults, units and examples. */
export function commandHelp(command: Command): string {
  const positionals = (command.positionals ?? []).map((name) => ` ${name}`).join("");
  return [
    `${command.name}: ${command.summary}`,
    "",
    `usage: ${PROGRAM} ${command.name}${positionals} [OPTIONS]`,
    "",
    "options:",
    ...optionLines(command),
    "",
    ...exampleLines(command),
  ].join("\n");
}

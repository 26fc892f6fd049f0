/** Arguments to values, by a command's table of options. */
import { parseArgs } from "node:util";
import { usageError } from "../util/errors.ts";
import { suggestion } from "../util/nearest.ts";
import type { Command, Option, Values } from "./command.ts";
import { HELP_OPTION } from "./command.ts";

function oneOf(names: readonly string[]): string {
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

function checked(option: Option, text: string): string | number {
  const fail = (want: string, hint = "") =>
    usageError(`--${option.name}: want ${want}, got "${text}"${hint}`);
  if (option.choices !== undefined && !option.choices.includes(text)) {
    throw fail(oneOf(option.choices), suggestion(text, option.choices).replace(/^; there is .*/, ""));
  }
  if (option.type !== "integer") return text;
  const [least, most] = option.range ?? [0, Number.MAX_SAFE_INTEGER];
  const value = Number(text);
  const fits = /^\d+$/.test(text) && value >= least && value <= most;
  const upper = most === Number.MAX_SAFE_INTEGER ? "" : ` and at most ${most}`;
  if (!fits) throw fail(`an integer of at least ${least}${upper}`);
  return value;
}

/**
 * Parses what follows the command's name.
 * @throws {UserError} exit code 2: names the flag or value, what was wanted, and the nearest name
 */
export function parseCommand(
  command: Command,
  args: readonly string[],
): { values: Values; positionals: string[] } {
  const options = [...command.options, HELP_OPTION];
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: Object.fromEntries(options.map((option) => [option.name, {
      type: option.value === undefined ? "boolean" as const : "string" as const,
      ...(option.name === "help" && { short: "h" }),
    }])),
  });
  const values: Record<string, string | number | boolean | readonly string[]> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = options.find(({ name }) => name === token.name);
    if (option === undefined) {
      const names = options.map(({ name }) => `--${name}`);
      throw usageError(`unknown flag "${token.rawName}"${suggestion(token.rawName, names)}`);
    }
    if (option.value === undefined) {
      if (token.value !== undefined) {
        throw usageError(`--${option.name}: want no value, got "${token.value}"`);
      }
      values[option.name] = true;
      continue;
    }
    if (token.value === undefined || (!token.inlineValue && token.value.startsWith("--"))) {
      throw usageError(`--${option.name}: want ${option.value}, got ${token.value ?? "nothing"}`);
    }
    const value = checked(option, token.value);
    if (option.repeatable) values[option.name] = [...(values[option.name] as string[] ?? []), String(value)];
    else if (option.name in values) throw usageError(`--${option.name}: want it once, got it twice`);
    else values[option.name] = value;
  }
  const names = command.positionals ?? [];
  const extra = names.at(-1)?.includes("...") ? undefined : positionals[names.length];
  if (extra !== undefined) throw usageError(`${command.name}: unexpected argument "${extra}"; see --help`);
  return { values, positionals };
}

/** README's table of commands; run as a program, writes it there. */
import type { Command } from "./command.ts";
import { commands } from "./table.ts";

const README = new URL("../../README.md", import.meta.url);
const BEGIN = "<!-- commands -->\n\n", END = "\n<!-- /commands -->";

/** The table in Markdown, aligned as `deno fmt` would have it. */
function commandTable(all: readonly Command[]): string {
  const escape = (text: string) => text.replaceAll("|", "\\|");
  const rows = [
    ["command", "what it does"],
    ...all.map(({ name, positionals = [], summary }) => [
      `\`${[name, ...positionals].map(escape).join(" ")}\``,
      escape(summary),
    ]),
  ];
  const [left, right] = [0, 1].map((c) => Math.max(...rows.map((row) => row[c].length)));
  const line = ([a, b]: string[]) => `| ${a.padEnd(left)} | ${b.padEnd(right)} |\n`;
  const [head, ...body] = rows.map(line);
  return `${head}| ${"-".repeat(left)} | ${"-".repeat(right)} |\n${body.join("")}`;
}

/**
 * A README with its table of commands made anew.
 *
 * @throws {Error} where the marks between which it stands are missing
 */
export function withCommandTable(readme: string): string {
  const from = readme.indexOf(BEGIN), to = readme.indexOf(END);
  if (from < 0 || to < from) {
    throw new Error(`README: want ${BEGIN.trim()} and ${END.trim()}, got none; restore them`);
  }
  return readme.slice(0, from + BEGIN.length) + commandTable(commands) + readme.slice(to);
}

if (import.meta.main) {
  Deno.writeTextFileSync(README, withCommandTable(Deno.readTextFileSync(README)));
}

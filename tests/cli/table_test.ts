import { assert, assertEquals } from "@std/assert";
import { parseCommand } from "../../src/cli/parse.ts";
import { withCommandTable } from "../../src/cli/readme.ts";
import { commands } from "../../src/cli/table.ts";

Deno.test("README's table of commands is the table; deno run -A src/cli/readme.ts makes it anew", async () => {
  const readme = await Deno.readTextFile("README.md");
  assertEquals(readme, withCommandTable(readme));
});

Deno.test("no two commands, and no two options of a command, have one name", () => {
  const twice = (names: readonly string[]) => names.filter((name, k) => names.indexOf(name) !== k);
  assertEquals(twice(commands.map(({ name }) => name)), []);
  for (const { options } of commands) assertEquals(twice(options.map(({ name }) => name)), []);
});

Deno.test("the examples that help shows are command lines that are understood", () => {
  for (const command of commands) {
    assert(command.examples.length > 0, command.name);
    for (const example of command.examples) {
      const [first, ...rest] = example.split(" ");
      if (!first.startsWith("-")) assertEquals(first, command.name);
      const { positionals } = parseCommand(command, first.startsWith("-") ? [first, ...rest] : rest);
      for (const [k, word] of (command.positionals ?? []).entries()) {
        if (word.includes("|") && positionals[k] !== undefined) {
          assert(word.split("|").includes(positionals[k]));
        }
      }
    }
  }
});

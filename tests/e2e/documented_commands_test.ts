/** Every command line in README and docs is one that works. */
import { assert, assertEquals } from "@std/assert";
import { parseCommand } from "../../src/cli/parse.ts";
import { commands } from "../../src/cli/table.ts";
import { runDeno } from "../support/subprocess.ts";
import { follow, newRun, noCifar10, withConfig } from "./program.ts";

const DOCUMENTS = [
  "README.md",
  ...[...Deno.readDirSync("docs")].filter(({ name }) => name.endsWith(".md"))
    .map(({ name }) => `docs/${name}`),
];

/** A command line and where it stands. */
interface Line {
  readonly where: string;
  readonly words: readonly string[];
}

/** Words of a line as a shell takes them, as far as documents go: quotes, no variables. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c);
}

/** Command lines in blocks of shell and in running text. */
function commandLines(): Line[] {
  return DOCUMENTS.flatMap((where) => {
    const text = Deno.readTextFileSync(where);
    const blocks = [...text.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block]) =>
      block.replaceAll("\\\n", " ").split("\n")
    );
    const inline = [...text.matchAll(/`((?:deno (?:run|task) |main\.ts )[^`\n]+)`/g)].map(([, line]) => line);
    return [...blocks, ...inline].map((line) => line.replace(/\s#.*$/, "").trim()).filter((line) =>
      line !== ""
    )
      .flatMap((line) => line.split("&&").map((part) => ({ where, words: wordsOf(part) })));
  });
}

/** What follows `main.ts`; null of another program. */
function argumentsOf({ words }: Line): readonly string[] | null {
  const at = words.indexOf("main.ts");
  return at === -1 ? null : words.slice(at + 1);
}

/** What stands for something of the reader's. */
const isPlaceholder = (word: string) => /^[A-Z]+$/.test(word);

Deno.test("every command of main.ts in README and docs has a name and options that are known", () => {
  const all = commandLines().flatMap((line) => argumentsOf(line) ?? []).length;
  assert(all > 20, "no command lines were found");
  for (const line of commandLines()) {
    const args = argumentsOf(line);
    if (args === null || isPlaceholder(args[0])) continue;
    const [first] = args;
    const command = first.startsWith("-") ? commands[0] : commands.find(({ name }) => name === first);
    assert(command !== undefined, `${line.where}: no command "${first}"`);
    parseCommand(command, first.startsWith("-") ? args : args.slice(1));
  }
});

Deno.test("every program and task in README and docs is there, and takes the options that are told of", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync("deno.json"));
  const shared = Deno.readTextFileSync("bench/support/options.ts");
  for (const { where, words } of commandLines()) {
    if (words[0] === "deno" && words[1] === "task") {
      assert(words[2] in tasks, `${where}: no task ${words[2]}`);
    }
    const program = words.find((word) => /^(bench|tests|examples)\/.+\.ts$/.test(word));
    if (words[0] !== "deno" || program === undefined) continue;
    const text = Deno.readTextFileSync(program) + shared;
    const options = words.slice(words.indexOf(program)).filter((word) => word.startsWith("--"));
    for (const option of options) {
      assert(text.includes(option.slice(2)), `${where}: ${program} has no ${option}`);
    }
  }
});

/** What is run instead: a run that is there instead of the reader's, one step or help instead of hours. */
function runnable(args: readonly string[], run: string): string[] {
  const own = args.map((word) =>
    word === "RUN" || /^runs\/\w+-1$/.test(word)
      ? run
      : word === "controller.policy=my.safetensors"
      ? "controller.policy=configs/policies/default.safetensors"
      : word
  );
  if (["train-policy", "prove", "sweep", "worker", "fleet", "services"].includes(own[0])) {
    return [...own, "--help"];
  }
  return own[0].startsWith("--config") ? [...own, "--dry-run", "--quiet"] : own;
}

Deno.test("every command of main.ts in README and docs runs", () =>
  withConfig("points", { train: { maxSteps: 8 } }, async (root) => {
    assertEquals((await follow(newRun(root))).code, 0);
    const lines = commandLines().map(argumentsOf).filter((args) => args !== null && !isPlaceholder(args[0]));
    const different = new Map(lines.map((args) => {
      const own = runnable(args!, `${root}/runs/points-1`);
      return [own.join(" "), own];
    }));
    const env = await noCifar10(root);
    for (const args of different.values()) {
      const { code, stderr } = await runDeno(["main.ts", ...args], env);
      assertEquals([code, args, stderr.replaceAll(/^warning: .*\n/gm, "")], [0, args, ""]);
    }
  }));

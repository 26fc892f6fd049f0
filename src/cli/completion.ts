/** `completion`: scripts by which shells complete what is typed, made from the table of commands. */
import { usageError } from "../util/errors.ts";
import { suggestion } from "../util/nearest.ts";
import { type Command, HELP_OPTION, type Option } from "./command.ts";
import { print } from "./output.ts";

/** What an option's value may be; null where a file is to be completed. */
const wordsOf = (option: Option) => option.choices ?? option.words?.() ?? null;

/** What may follow a command: words such as `ls`, names of commands, files. */
function argumentsOf(command: Command, commands: readonly Command[]): { words: string[]; files: boolean } {
  const names = command.positionals ?? [];
  const choices = names.filter((name) => name.includes("|")).flatMap((name) => name.split("|"));
  if (names.includes("[COMMAND]")) return { words: commands.map(({ name }) => name), files: false };
  return { words: choices, files: names.some((name) => !name.includes("|")) };
}

const optionsOf = (command: Command) => [...command.options, HELP_OPTION];
const flagsOf = (command: Command) => optionsOf(command).map(({ name }) => `--${name}`).join(" ");
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Where the program is, as the shell is told to call it. */
const ALIAS = `alias esper='deno run -A ${new URL("../../main.ts", import.meta.url).pathname}'`;

function bash(commands: readonly Command[]): string {
  const values = commands.flatMap((command) =>
    command.options.filter(({ value }) => value !== undefined).map((option) => {
      const words = wordsOf(option);
      const after = words === null ? "files=1" : `words="${words.join(" ")}"`;
      return `    ${command.name}:--${option.name}) ${after} ;;`;
    })
  );
  const own = commands.map((command) => {
    const { words, files } = argumentsOf(command, commands);
    return `      ${command.name}) words="${[flagsOf(command), ...words].join(" ")}"${
      files ? " files=1" : ""
    } ;;`;
  });
  return `# esper in bash. In ~/.bashrc: source <(deno run -A main.ts completion bash)
${ALIAS}
_esper() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command=\${COMP_WORDS[1]} words="" files=""
  COMPREPLY=()
  case $command in -*) command=${commands[0].name} ;; esac
  case $command:$before in
${values.join("\n")}
    *) case $command in
${own.join("\n")}
    esac ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words="${commands.map(({ name }) => name).join(" ")} $words"; files=""; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  if [ -n "$files" ]; then mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current"); fi
}
complete -o filenames -F _esper esper`;
}

function zsh(commands: readonly Command[]): string {
  const describe = (text: string) => text.replace(/[\\[\]:]/g, (mark) => `\\${mark}`);
  const spec = (option: Option) => {
    const words = wordsOf(option);
    const value = option.value === undefined
      ? ""
      : `:${option.value}:${words === null ? "_files" : `(${words.join(" ")})`}`;
    return quoted(`${option.repeatable ? "*" : ""}--${option.name}[${describe(option.summary)}]${value}`);
  };
  const cases = commands.map((command) => {
    const { words, files } = argumentsOf(command, commands);
    const positional = [
      ...words.length > 0 ? [quoted(`1:argument:(${words.join(" ")})`)] : [],
      ...files ? ["'*:file:_files'"] : [],
    ];
    return `    ${command.name}) _arguments ${
      [...optionsOf(command).map(spec), ...positional].join(" \\\n      ")
    } ;;`;
  });
  const names = commands.map(({ name, summary }) => `    ${quoted(`${name}:${describe(summary)}`)}`);
  return `# esper in zsh. In ~/.zshrc, after compinit: source <(deno run -A main.ts completion zsh)
${ALIAS}
_esper() {
  local -a names
  names=(
${names.join("\n")}
  )
  local command=$words[2]
  if (( CURRENT == 2 )) && [[ $command != -* ]]; then _describe command names; return; fi
  if [[ $command == -* ]]; then command=${commands[0].name}; else shift words; (( CURRENT-- )); fi
  case $command in
${cases.join("\n")}
  esac
}
setopt completealiases
compdef _esper esper`;
}

function fish(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const [first] = commands;
  const lines = commands.flatMap((command) => {
    const here = `__fish_seen_subcommand_from ${command.name}`;
    const when = quoted(
      command === first ? `${here}; or not __fish_seen_subcommand_from ${names}` : here,
    );
    const { words, files } = argumentsOf(command, commands);
    return [
      `complete -c esper -f -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.summary)}`,
      ...files ? [`complete -c esper -F -n ${quoted(here)}`] : [],
      ...words.length > 0 ? [`complete -c esper -f -n ${quoted(here)} -a ${quoted(words.join(" "))}`] : [],
      ...optionsOf(command).map((option) => {
        const choices = wordsOf(option);
        const value = option.value === undefined
          ? ""
          : choices === null
          ? " -r -F"
          : ` -x -a ${quoted(choices.join(" "))}`;
        return `complete -c esper -n ${when} -l ${option.name}${value} -d ${quoted(option.summary)}`;
      }),
    ];
  });
  return `# esper in fish. In config.fish: deno run -A main.ts completion fish | source
${ALIAS}
${lines.join("\n")}`;
}

const SHELLS: Readonly<Record<string, (commands: readonly Command[]) => string>> = { bash, zsh, fish };

/** The `completion` command over a table of commands. */
export function completionCommand(commands: () => readonly Command[]): Command {
  const names = Object.keys(SHELLS);
  return {
    name: "completion",
    summary: "print a script by which a shell completes commands, options and their values",
    positionals: [names.join("|")],
    options: [],
    examples: ["completion bash"],
    run(_values, [shell]) {
      if (shell === undefined || !Object.hasOwn(SHELLS, shell)) {
        const got = shell === undefined ? "nothing" : `"${shell}"${suggestion(shell, names)}`;
        throw usageError(`completion: want bash, zsh or fish, got ${got}`);
      }
      print(`${SHELLS[shell](commands())}\n`);
      return Promise.resolve(0);
    },
  };
}

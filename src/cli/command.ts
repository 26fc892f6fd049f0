/** One option of a command: what is parsed, checked and shown in `--help`. */
export interface Option {
  /** Without the dashes. */
  readonly name: string;
  /** Placeholder of the value, such as `DIR`; absent for a switch. */
  readonly value?: string;
  readonly type?: "string" | "integer";
  /** Allowed values. */
  readonly choices?: readonly string[];
  /** Values that a shell may offer where others are allowed, too. */
  words?(): readonly string[];
  /** Smallest and largest integer. */
  readonly range?: readonly [number, number];
  readonly default?: string;
  readonly repeatable?: boolean;
  /** What it does, with the unit of its value. */
  readonly summary: string;
  /** A value worth showing. */
  readonly example?: string;
}

/** Values by option name: text, number, list of texts (repeatable), or true for a switch. Absent: not given. */
export type Values = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** A command of the command line: help and parser are made from this record. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /**
   * Names of the arguments that follow the command, such as `[COMMAND]`; none are taken where absent. `ls|verify` is a
   * choice of words, and the last may be a list: `RUN...`.
   */
  readonly positionals?: readonly string[];
  readonly options: readonly Option[];
  /** Whole command lines, without `deno run -A main.ts`. */
  readonly examples: readonly string[];
  /** Resolves to the exit code. */
  run(values: Values, positionals: readonly string[]): Promise<number>;
}

export const HELP_OPTION: Option = { name: "help", summary: "show this help and exit" };

/** Standard output and standard error; a reader that has gone away is no error. */

function write(stream: typeof Deno.stdout, text: string): void {
  const bytes = new TextEncoder().encode(text);
  let written = 0;
  try {
    while (written < bytes.length) written += stream.writeSync(bytes.subarray(written));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Writes to standard output as it stands. */
export function print(text: string): void {
  write(Deno.stdout, text);
}

/** Writes one line to standard error. */
export function printError(line: string): void {
  write(Deno.stderr, `${line}\n`);
}

/** Whether standard output is a terminal that can redraw a line. */
export function isTerminal(): boolean {
  return Deno.stdout.isTerminal() && Deno.env.get("TERM") !== "dumb";
}

/** Width of the terminal in characters; 80 where it does not say. */
export function columns(): number {
  return Deno.consoleSize().columns || 80;
}

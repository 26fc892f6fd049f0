/** What a finished program left behind. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a Deno program to its end in a process of its own. */
export async function runDeno(args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", ...args],
    env: { NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Runs the command line of this project. */
export function runEsper(args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  return runDeno(["main.ts", ...args], env);
}

/** The program as a person starts it: a process of its own, on a tiny configuration in a folder of its own. */
import { tinyConfig, type TinyKind } from "../support/session.ts";

/** What the program needs to be the same everywhere. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  NO_COLOR: "1",
  DENO_NO_UPDATE_CHECK: "1",
  DENO_WEBGPU_BACKEND: "vulkan",
};

/** Runs `work` in a new folder that holds `config.json`. */
export async function withConfig<T>(
  kind: TinyKind,
  changes: unknown,
  work: (root: string) => Promise<T>,
): Promise<T> {
  const root = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${root}/config.json`, JSON.stringify(tinyConfig(kind, changes)));
    return await work(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** Arguments of a new run in `root`. */
export const newRun = (root: string, ...more: string[]) => [
  ...["--config", `${root}/config.json`, "--out", `${root}/runs`],
  ...more,
];

export interface JsonLine {
  topic: string;
  // deno-lint-ignore no-explicit-any
  payload: any;
}

export interface Ended {
  code: number;
  signal: Deno.Signal | null;
  lines: JsonLine[];
  stderr: string;
}

/**
 * Starts the program, or another that takes its arguments, with `--json` and hands every line to `onLine` as it comes,
 * with the way to signal the process; kills it after `killAfterMs` at the latest; resolves when it has ended.
 */
export async function follow(
  args: readonly string[],
  onLine: (line: JsonLine, kill: (signal: Deno.Signal) => void) => void = () => {},
  { program = ["main.ts"], killAfterMs, env = {} }: {
    program?: readonly string[];
    killAfterMs?: number;
    env?: Readonly<Record<string, string>>;
  } = {},
): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", ...program, ...args, "--json"],
    env: { ...ENVIRONMENT, ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let alive = true;
  const kill = (signal: Deno.Signal) => {
    try {
      if (alive) child.kill(signal);
    } catch {
      // It has ended by itself.
    }
  };
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => kill("SIGKILL"), killAfterMs);
  const lines: JsonLine[] = [];
  const stderr = new Response(child.stderr).text();
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const part of parts) {
      lines.push(JSON.parse(part));
      onLine(lines.at(-1)!, kill);
    }
  }
  const { code, signal } = await child.status;
  alive = false;
  clearTimeout(timer);
  return { code, signal, lines, stderr: await stderr };
}

/** The newest checkpoint of a run folder: hashes of all numbers, and everything else that is saved. */
export async function newestCheckpoint(run: string) {
  const folder = `${run}/store/manifests/checkpoint`;
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  const { value } = JSON.parse(await Deno.readTextFile(`${folder}/${names.at(-1)}`));
  return { present: value.present, blessed: value.blessed };
}

/** Objects of a file of JSON lines. */
export async function jsonLines(path: string) {
  const text = await Deno.readTextFile(path);
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** What edges are but for the time of writing. */
export async function loggedEdges(run: string) {
  const events = await jsonLines(`${run}/events.jsonl`);
  return events.filter(({ topic }) => topic === "seed.edge").map(({ time: _, ...edge }) => edge);
}

/** An environment in which CIFAR-10 is neither in a cache nor to be had from the network, and packages are. */
export async function noCifar10(root: string): Promise<Record<string, string>> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout));
  return {
    ...ENVIRONMENT,
    DENO_DIR: denoDir,
    XDG_CACHE_HOME: `${root}/cache`,
    HTTPS_PROXY: "http://127.0.0.1:1",
    CIFAR10_DIR: "",
    MESA_SHADER_CACHE_DISABLE: "true",
  };
}

/** The main job with the permissions that README names, and nothing else. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ENVIRONMENT } from "./program.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** Flags of the command that README shows. */
function flagsInReadme(): string[] {
  const text = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
  const [, flags] = text.match(
    /^deno run (--allow-read --allow-write=runs \S+) main\.ts --config cifar10\.json$/m,
  )!;
  return flags.split(" ");
}

async function run(cwd: string, flags: readonly string[], ...args: string[]) {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", ...flags, MAIN, ...args],
    cwd,
    env: { ...ENVIRONMENT, CIFAR10_DIR: "" },
    stdout: "null",
    stderr: "piped",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const JOB = ["--config", "cifar10.json", "--max-steps", "2", "--profile", "small", "--backend", "native"];

Deno.test("README's least permissions are enough for the main job, and for what comes out of it", () =>
  inFolder(async (folder) => {
    const flags = flagsInReadme();
    assertEquals(await run(folder, flags, ...JOB), { code: 0, stderr: "" });
    assertEquals(await run(folder, flags, "export", "cifar10-1", "--format", "onnx"), {
      code: 0,
      stderr: "",
    });
    assert((await Deno.stat(`${folder}/runs/cifar10-1/model.onnx`)).size > 1000);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["runs"]);
  }));

Deno.test("README's least permissions: each is needed, and its lack is told in one line", () =>
  inFolder(async (folder) => {
    const flags = flagsInReadme();
    for (const left of flags) {
      const { code, stderr } = await run(folder, flags.filter((flag) => flag !== left), ...JOB);
      assertEquals(code, 1, `it runs without ${left}`);
      assertMatch(stderr, /^esper: .*(permission|Requires (read|write|env) access)/, left);
    }
  }));

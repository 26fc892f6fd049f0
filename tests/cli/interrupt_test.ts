import { assertEquals } from "@std/assert";

/** Starts the program and sends SIGINT whenever it prints one of `at`; resolves to its exit code and its lines. */
async function interrupt(args: string[], at: string[]): Promise<{ code: number; lines: string[] }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "tests/cli/interrupt_program.ts", ...args],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines: string[] = [];
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    for (const line of text.split("\n").filter((part) => part !== "")) {
      lines.push(line);
      if (at.includes(line)) child.kill("SIGINT");
    }
  }
  return { code: (await child.status).code, lines };
}

Deno.test("withInterrupt() lets the work finish after the first Ctrl-C", async () => {
  assertEquals(await interrupt([], ["ready"]), { code: 130, lines: ["ready", "stopping", "finished"] });
});

Deno.test("withInterrupt() ends the program at once at the second Ctrl-C", async () => {
  assertEquals(await interrupt(["stubborn"], ["ready", "stopping"]), {
    code: 130,
    lines: ["ready", "stopping"],
  });
});

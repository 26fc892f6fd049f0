import { lines } from "../../src/util/lines.ts";
import { ANSWER, type Work } from "./serve.ts";
import type { Seat } from "./seat.ts";
import { processTree } from "./processes.ts";

/** An engine in a Deno process of its own, on Deno's WebGPU. */
export function seatInDeno(program: string): Promise<Seat> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL(`${program}.ts`, import.meta.url).pathname],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { DENO_NO_UPDATE_CHECK: "1", XDG_RUNTIME_DIR: Deno.env.get("XDG_RUNTIME_DIR") ?? "/tmp" },
  }).spawn();
  const errors = new Response(child.stderr).text();
  const input = child.stdin.getWriter(), output = lines(child.stdout);
  return Promise.resolve({
    processes: () => processTree([child.pid]),
    async measure(work: Work) {
      await input.write(new TextEncoder().encode(`${work}\n`));
      for (;;) {
        const { value: line, done } = await output.next();
        if (done) throw new Error(`${program} ended: ${(await errors).trim()}`);
        if (line.startsWith(ANSWER)) return JSON.parse(line.slice(ANSWER.length));
      }
    },
    async close() {
      await input.close();
      for await (const _ of output);
      await errors;
      await child.status;
    },
  });
}

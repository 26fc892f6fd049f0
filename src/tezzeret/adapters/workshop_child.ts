/**
 * A process that compiles and tries kernels on a device of its own. Started by `workshop_process.ts`, which writes requests
 * into its input and reads replies from its output, JSON, one a line. It ends with its input, so with whoever started it.
 */
import { canonicalJson } from "../../util/json.ts";
import { lines } from "../../util/lines.ts";
import { serveWorkshop } from "./serve_workshop.ts";

// What a terminal sends to all processes of a run is meant for the one that trains.
if (Deno.build.os !== "windows") {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(signal, () => {});
}

const encoder = new TextEncoder();
let written = Promise.resolve();
const output = Deno.stdout.writable.getWriter();
const answer = serveWorkshop((reply) => {
  const line = encoder.encode(canonicalJson(reply) + "\n");
  written = written.then(() => output.write(line));
});
for await (const line of lines(Deno.stdin.readable)) void answer(JSON.parse(line));
// Threads of a software device may not survive an orderly end.
Deno.exit(0);

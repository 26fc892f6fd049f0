/** A process that says it is ready, writes what is no reply, and crashes at a draft. */
import { lines } from "../../src/util/lines.ts";

for await (const line of lines(Deno.stdin.readable)) {
  const { id, kind } = JSON.parse(line);
  console.log("a driver's own words");
  if (kind === "open") console.log(JSON.stringify({ id, result: null }));
  else {
    console.error("out of memory");
    Deno.exit(3);
  }
}

// Those who watch a run: `deno run -A bench/support/watchers.ts ADDRESS COUNT`. `on` on standard input has them come, and
// one who does not read; `off` has them go. Each is answered with a line once it is so.
const [address, count] = Deno.args;
const { origin, searchParams, host } = new URL(address);
const query = `?token=${searchParams.get("token")}`;
let leave = new AbortController();
/** Who does not read. */
const stalled: Deno.Conn[] = [];

/** Follows the run as the page does: reads what is told, and fetches each new picture. */
async function watch(signal: AbortSignal, came: () => void): Promise<void> {
  let shown = 0;
  try {
    const response = await fetch(`${origin}/events${query}`, { signal });
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      came();
      const newest = Number(text.match(/"picture":(\d+)/)?.[1] ?? 0);
      if (newest <= shown) continue;
      shown = newest;
      await (await fetch(`${origin}/picture${query}`, { signal })).arrayBuffer();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function come(): Promise<void> {
  leave = new AbortController();
  const all = Array.from({ length: Number(count) }, () => {
    const here = Promise.withResolvers<void>();
    watch(leave.signal, here.resolve).catch((error) => {
      console.error(`watchers: ${error}`);
      Deno.exit(1);
    });
    return here.promise;
  });
  const [hostname, port] = host.split(":");
  const connection = await Deno.connect({ hostname, port: Number(port) });
  stalled.push(connection);
  await connection.write(new TextEncoder().encode(`GET /events${query} HTTP/1.1\r\nHost: ${host}\r\n\r\n`));
  await Promise.all(all);
}

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
for await (const word of lines) {
  if (word.trim() === "on") await come();
  else {
    leave.abort();
    stalled.splice(0).forEach((connection) => connection.close());
  }
  console.log(word.trim());
}

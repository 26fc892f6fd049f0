import { chromium } from "playwright-core";
import type { Reading, Work } from "./serve.ts";
import type { Seat } from "./seat.ts";
import { childrenOf, processTree } from "./processes.ts";

const CHROMIUM = "/usr/bin/chromium";

/** WebGPU on a software adapter, whatever the machine has. */
const SOFTWARE = ["--use-webgpu-adapter=swiftshader"];
const FLAGS = ["--no-sandbox", "--enable-unsafe-webgpu", "--no-first-run", "--disable-background-networking"];

/** The page's global. */
declare function measure(work: Work): Promise<Reading>;

async function bundle(program: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "-q", "--platform", "browser", `${program}.ts`],
    cwd: new URL(".", import.meta.url),
  }).output();
  if (!success) throw new Error(`bundling ${program}: ${new TextDecoder().decode(stderr).trim()}`);
  return new TextDecoder().decode(stdout);
}

/** An engine in a Chromium of its own. */
export async function seatInChromium(program: string): Promise<Seat> {
  const script = await bundle(program);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) =>
      new URL(request.url).pathname === "/page.js"
        ? new Response(script, { headers: { "content-type": "text/javascript" } })
        : new Response(`<!doctype html><script type="module" src="/page.js"></script>`, {
          headers: { "content-type": "text/html" },
        }),
  );
  const before = childrenOf([Deno.pid]);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...SOFTWARE] });
  const started = childrenOf([Deno.pid]).filter((pid) => !before.includes(pid));
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  await page.goto(`http://127.0.0.1:${server.addr.port}/`, { waitUntil: "load" });
  await page.waitForFunction(() => "measure" in globalThis);
  return {
    processes: () => processTree(started),
    measure: (work) => page.evaluate((work) => measure(work), work),
    async close() {
      await browser.close();
      await server.shutdown();
    },
  };
}

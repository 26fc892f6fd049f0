import { build, stop } from "esbuild";
import type { Browser, Page } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";

/** WebGPU on SwiftShader without a display; the rest keeps a browser quiet that finds no network. */
const FLAGS = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Whether the browser is installed; says so aloud where it is not. */
export function hasBrowser(): boolean {
  try {
    return Deno.statSync(CHROMIUM).isFile;
  } catch {
    console.log(`SKIPPED: browser is not here (apt-get install chromium brings ${CHROMIUM})`);
    return false;
  }
}

/** One script of a module and all that it imports, shaders included. */
async function bundle(module: URL): Promise<string> {
  try {
    const { outputFiles } = await build({
      entryPoints: [module.pathname],
      bundle: true,
      write: false,
      format: "esm",
      target: "es2023",
      loader: { ".wgsl": "text" },
      logLevel: "silent",
    });
    return outputFiles[0].text;
  } finally {
    await stop();
  }
}

/** Runs `use` with a browser, and ends it. */
export async function withBrowser(use: (browser: Browser) => Promise<void>): Promise<void> {
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  try {
    await use(browser);
  } finally {
    await browser.close();
  }
}

/** Runs `use` with a page that has loaded a module, served on this machine, and leaves neither server nor browser behind. */
export async function withPage(module: URL, use: (page: Page) => Promise<void>): Promise<void> {
  const files: Record<string, { type: string; body: string }> = {
    "/": { type: "text/html", body: `<!doctype html><script type="module" src="/page.js"></script>` },
    "/page.js": { type: "text/javascript", body: await bundle(module) },
  };
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const file = files[new URL(request.url).pathname];
    if (!file) return new Response(null, { status: 404 });
    return new Response(file.body, { headers: { "content-type": file.type } });
  });
  await withBrowser(async (browser) => {
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    await page.goto(`http://127.0.0.1:${server.addr.port}/`, { waitUntil: "load" });
    if (faults.length > 0) throw new Error(`the page failed: ${faults.join("; ")}`);
    await use(page);
  });
}

/// <reference lib="dom" />
// The browser demo on this machine's Chromium (SwiftShader, no GPU): how soon it is ready, whether the page keeps its frames
// while it trains, and whether memory stays where it is.
//
//   deno run -A bench/demo.ts [--minutes 10] [--setup "data=digits"]
import { parseArgs } from "node:util";
import { buildSite } from "../src/web/adapters/build.ts";
import { serveSite } from "../src/web/adapters/serve.ts";
import { withBrowser } from "../tests/support/browser.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, setup: { type: "string", default: "" } },
});
const minutes = Number(values.minutes), ROUNDS = 6, TIMEOUT_MS = 60_000;

/** What the page keeps for this program. */
interface Watched {
  bytes: number;
  frames: number[];
}
/** The page's global. */
declare const watched: Watched;

/** Runs in the page, before it: remembers the bytes on the device that the worker tells of, and the time of every frame. */
function watch(): void {
  const seen: Watched = { bytes: 0, frames: [] };
  Object.assign(globalThis, { watched: seen });
  const Plain = Worker;
  Object.assign(globalThis, {
    Worker: class extends Plain {
      constructor(url: URL, options: WorkerOptions) {
        super(url, options);
        this.addEventListener("message", ({ data }) => {
          if (data.kind === "snapshot") seen.bytes = data.snapshot.liveBytes;
        });
      }
    },
  });
  const frame = (time: number) => {
    seen.frames.push(time);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

/** Memory that a process holds (Linux): pages of 4 KiB. */
function residentBytes(pid: number): number {
  return 4096 * Number(Deno.readTextFileSync(`/proc/${pid}/statm`).split(" ")[1]);
}

let address = "";
await using _server = serveSite(await buildSite(), 0, (url) => address = url);
await withBrowser(async (browser) => {
  const page = await browser.newPage();
  await page.addInitScript(watch);
  await page.goto(`${address}#ticks=2000&${values.setup}`);
  await page.waitForSelector(`body[data-state="paused"]`, { timeout: TIMEOUT_MS });
  const ready = await page.evaluate(() => performance.now());
  console.log(`ready after ${ready.toFixed(0)} ms`);
  await page.selectOption("#pace", "0");
  await page.click("#train");
  const session = await page.context().newCDPSession(page), processes = await browser.newBrowserCDPSession();
  console.log("minute  frames/s  longest frame, 99 %  page and worker  GPU process  buffers");
  for (let round = 0; round < ROUNDS; round++) {
    await page.evaluate(() => void (watched.frames = []));
    await new Promise((resolve) => setTimeout(resolve, minutes * 60_000 / ROUNDS));
    await session.send("HeapProfiler.collectGarbage");
    const { bytes, frames } = await page.evaluate(() => watched);
    const { processInfo } = await processes.send("SystemInfo.getProcessInfo");
    const resident = (type: string) =>
      processInfo.filter((one) => one.type === type).reduce((sum, { id }) => sum + residentBytes(id), 0);
    const gaps = frames.slice(1).map((time, k) => time - frames[k]);
    const rate = 1000 * gaps.length / (frames.at(-1)! - frames[0]);
    const row = [
      ((round + 1) * minutes / ROUNDS).toFixed(1),
      rate.toFixed(1),
      `${gaps.toSorted((a, b) => a - b)[Math.floor(0.99 * gaps.length)].toFixed(0)} ms`,
      `${(resident("renderer") / 2 ** 20).toFixed(0)} MiB`,
      `${(resident("GPU") / 2 ** 20).toFixed(0)} MiB`,
      `${(bytes / 2 ** 20).toFixed(2)} MiB`,
    ];
    console.log(row.join("  "));
  }
});

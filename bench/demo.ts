/// <reference lib="dom" />
// The browser demo on this machine's Chromium (SwiftShader, no GPU): how soon it is ready, whether the page keeps its frames
// while it trains, and whether memory stays where it is.
//
//   deno run -A bench/demo.ts [--minutes 10] [--setup "data=digits"]
import { parseArgs } from "node:util";
import type { CDPSession } from "playwright-core";
import { buildSite } from "../src/web/adapters/build.ts";
import { serveSite } from "../src/web/adapters/serve.ts";
import { withBrowser } from "../tests/support/browser.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, setup: { type: "string", default: "" } },
});
const minutes = Number(values.minutes), TIMEOUT_MS = 60_000, WARM_UP_MS = 10_000;
/** When memory is read: parts of the time. What is read at 0 is after the warm-up. */
const READINGS = [0, 0.1, 0.25, 0.5, 0.75, 1];

/** What the page keeps for this program. */
interface Watched {
  bytes: number;
  step: number;
  frames: number[];
}
/** The page's global. */
declare const watched: Watched;

/** Runs in the page, before it: remembers the step and the bytes on the device that the worker tells of, and the time of every frame. */
function watch(): void {
  const seen: Watched = { bytes: 0, step: 0, frames: [] };
  Object.assign(globalThis, { watched: seen });
  const Plain = Worker;
  Object.assign(globalThis, {
    Worker: class extends Plain {
      constructor(url: URL, options: WorkerOptions) {
        super(url, options);
        this.addEventListener("message", ({ data }) => {
          if (data.kind !== "snapshot") return;
          seen.bytes = data.snapshot.liveBytes;
          seen.step = data.snapshot.step;
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

/** Asks the one worker of a page by its own protocol session; gives back the function that asks. */
async function workerOf(session: CDPSession): Promise<(method: string) => Promise<{ usedSize: number }>> {
  const attached = new Promise<string>((resolve) =>
    session.on("Target.attachedToTarget", ({ sessionId }) => resolve(sessionId))
  );
  await session.send("Target.setAutoAttach", {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  });
  const sessionId = await attached;
  let asked = 0;
  return (method) => {
    const id = ++asked;
    const answer = new Promise<{ usedSize: number }>((resolve) =>
      session.on("Target.receivedMessageFromTarget", ({ message }) => {
        const { id: answered, result } = JSON.parse(message);
        if (answered === id) resolve(result);
      })
    );
    return session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id, method }) })
      .then(() => answer);
  };
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
  const worker = await workerOf(session);
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const start = performance.now(), mebi = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  console.log(
    "minute  step  frames/s  longest frame, 99 %  JS heap: page  worker  page and worker  GPU process  buffers",
  );
  for (const part of READINGS) {
    await new Promise((resolve) =>
      setTimeout(resolve, Math.max(0, start + part * minutes * 60_000 - performance.now()))
    );
    const { bytes, step, frames } = await page.evaluate(() => watched);
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    await worker("HeapProfiler.collectGarbage");
    const inWorker = (await worker("Runtime.getHeapUsage")).usedSize;
    const { processInfo } = await processes.send("SystemInfo.getProcessInfo");
    const resident = (type: string) =>
      processInfo.filter((one) => one.type === type).reduce((sum, { id }) => sum + residentBytes(id), 0);
    await page.evaluate(() => void (watched.frames = []));
    const gaps = frames.slice(1).map((time, k) => time - frames[k]);
    const rate = 1000 * gaps.length / (frames.at(-1)! - frames[0]);
    const longest = gaps.toSorted((a, b) => a - b)[Math.floor(0.99 * gaps.length)];
    const memory = [usedSize, inWorker, resident("renderer"), resident("GPU"), bytes].map(mebi);
    console.log(
      [(part * minutes).toFixed(1), step, rate.toFixed(1), `${longest.toFixed(0)} ms`, ...memory].join("  "),
    );
  }
});

/// <reference lib="dom" />
/** The page in a real browser, from its first frame to a network that has grown and was handed on. */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { buildSite } from "../../src/web/adapters/build.ts";
import { serveSite } from "../../src/web/adapters/serve.ts";
import { STAGE_WORDS } from "../../src/web/words.ts";
import { faint, unnamed, unreachable } from "../support/accessibility.ts";
import { hasBrowser, withBrowser } from "../support/browser.ts";

/** Two arms that four units do not tell apart well, and one seed does; nobody decides but the visitor. */
const SETUP =
  "controller=off&hidden=4&arms=2&turns=0.75&noise=0.02&rate=0.03&tick=20&ticks=1000&ramp=2&twin=no";
const TIMEOUT_MS = 120_000;
/** Where pictures of the page are left for people to look at. */
const PICTURES = `${Deno.env.get("TMPDIR") ?? "/tmp"}/esper-demo`;

const inState = (page: Page, state: string) =>
  page.waitForSelector(`body[data-state="${state}"]`, { timeout: TIMEOUT_MS });
const accuracy = async (page: Page) =>
  Number((await page.textContent("#figures .figure:first-child dd"))!.replace("%", ""));

/** Waits until a run that has ticks behind it has made way for a new one. */
const begunAgain = (page: Page) =>
  page.waitForFunction(
    () =>
      document.querySelector("#figures .figure:last-child dd")!.textContent === "0" &&
      document.body.dataset.state === "paused",
    null,
    { timeout: TIMEOUT_MS },
  );

/** Trains up to the controller's next decision. */
async function oneTick(page: Page): Promise<void> {
  const before = await page.textContent("#figures");
  await page.click("#tick");
  await page.waitForFunction(
    (before) =>
      document.querySelector("#figures")!.textContent !== before && document.body.dataset.state === "paused",
    before,
    { timeout: TIMEOUT_MS },
  );
}

/** Trains tick by tick until a button of the slot may be pressed, and presses it. */
async function pressWhenLegal(page: Page, button: string, ticks: number): Promise<void> {
  const free = `.slot-card button[aria-label="${button}: layer1"]:not([aria-disabled])`;
  for (let k = 0; k < ticks && await page.locator(free).count() === 0; k++) await oneTick(page);
  await page.click(free, { timeout: 1000 });
}

/** Gives the slot the colours of a stage, and a mark wherever one may stand. */
const paintAs = (page: Page, stage: string) =>
  page.evaluate((stage) => {
    for (const one of document.querySelectorAll(".slot,.slot-card")) one.setAttribute("data-stage", stage);
    document.querySelector(".slot .mark")!.textContent = "✓";
  }, stage);

Deno.test("the page trains, grows by hand, shares its address and takes back the network that it saved", async (test) => {
  if (!hasBrowser()) return;
  Deno.mkdirSync(PICTURES, { recursive: true });
  let address = "";
  await using _server = serveSite(await buildSite(), 0, (url) => address = url);
  await withBrowser(async (browser) => {
    const faults: string[] = [];
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      acceptDownloads: true,
    });
    const open = async (hash: string) => {
      const page = await context.newPage();
      page.on("pageerror", (error) => faults.push(error.message));
      page.on("console", (line) => line.type() === "error" && faults.push(line.text()));
      await page.goto(`${address}#${hash}`);
      await inState(page, "paused");
      return page;
    };
    const page = await open(SETUP);
    const stage = page.locator(".slot-card .stage");

    await test.step("a fresh host is shown, and guesses", async () => {
      assertEquals(await stage.textContent(), "empty");
      assert(await accuracy(page) < 75);
      assertEquals(await page.locator("#boundaries canvas").count(), 1);
    });
    await test.step("a seed is sown by hand, learns, blends in and is kept", async () => {
      await oneTick(page);
      await page.selectOption(".slot-card select", "mlp");
      await pressWhenLegal(page, "Sow", 1);
      await oneTick(page);
      assertEquals(await stage.textContent(), "sown");
      await oneTick(page);
      assertEquals(await stage.textContent(), "learns behind the host");
      await page.screenshot({ path: `${PICTURES}/learning.png`, fullPage: true });
      await pressWhenLegal(page, "Blend in", 10);
      await oneTick(page);
      assertEquals(await stage.textContent(), "blends in");
      await pressWhenLegal(page, "Keep", 12);
      await oneTick(page);
      assertEquals(await stage.textContent(), "kept");
      const told = await page.textContent("#log");
      assert(told!.includes("mlp in layer1 is kept (as decided; missed by "), told!);
    });
    await test.step("it trains to 90 % on its own and stops when asked to", async () => {
      await page.selectOption("#pace", "0");
      await page.click("#train");
      await inState(page, "training");
      await page.waitForFunction(
        () => parseFloat(document.querySelector("#figures .figure dd")!.textContent!) >= 90,
        null,
        { timeout: TIMEOUT_MS },
      );
      await page.click("#train");
      await inState(page, "paused");
      await page.screenshot({ path: `${PICTURES}/grown.png`, fullPage: true });
    });
    await test.step("it can be read aloud, used by keyboard, and read in light and in dark", async () => {
      assertEquals([await unnamed(page), await unreachable(page)], [[], []]);
      for (const colorScheme of ["dark", "light"] as const) {
        await page.emulateMedia({ colorScheme });
        assertEquals(await faint(page), []);
        for (const stage of Object.keys(STAGE_WORDS)) {
          await paintAs(page, stage);
          assertEquals(await faint(page), [], `${stage}, ${colorScheme}`);
        }
        await paintAs(page, "FOSSILIZED");
      }
    });
    await test.step("the network that it saves is the network that it opens", async () => {
      await oneTick(page);
      const before = await accuracy(page);
      const [saved] = await Promise.all([page.waitForEvent("download"), page.click("#export")]);
      assert(
        /^esper-spirals-step-\d+\.safetensors$/.test(saved.suggestedFilename()),
        saved.suggestedFilename(),
      );
      await page.setInputFiles("#import", (await saved.path())!);
      await begunAgain(page);
      assertEquals(await accuracy(page), before);
      assertEquals(await stage.textContent(), "empty");
    });
    await test.step("an address brings another page to the same run", async () => {
      await oneTick(page);
      await page.fill("#field-seed", "7");
      await page.press("#field-seed", "Tab");
      await begunAgain(page);
      assert(
        page.url().endsWith(
          "seed=7&hidden=4&arms=2&noise=0.02&turns=0.75&twin=no&rate=0.03&tick=20&ticks=1000&ramp=2",
        ),
        page.url(),
      );
      const other = await open(new URL(page.url()).hash.slice(1));
      for (const each of [page, other]) await oneTick(each);
      assertEquals(await other.textContent("#figures"), await page.textContent("#figures"));
      await other.close();
    });
    await test.step("where the GPU process dies, training goes on with another", async () => {
      await (await browser.newBrowserCDPSession()).send("Browser.crashGpuProcess");
      await oneTick(page);
      await page.waitForFunction(
        () => document.querySelector("#log")!.textContent!.includes("the GPU device was lost"),
        null,
        { timeout: TIMEOUT_MS },
      );
      await oneTick(page);
    });
    await test.step("nothing was complained of", () => assertEquals(faults, []));
  });
});

Deno.test("without WebGPU the page says so, and what to do", async () => {
  if (!hasBrowser()) return;
  let address = "";
  await using _server = serveSite(await buildSite(), 0, (url) => address = url);
  await withBrowser(async (browser) => {
    const page = await browser.newPage({ viewport: { width: 390, height: 800 }, colorScheme: "dark" });
    // As browsers have it that were not told of WebGPU.
    await page.route("**/worker.js", async (route) => {
      const answer = await route.fetch();
      const body = `Object.defineProperty(navigator, "gpu", { value: undefined });${await answer.text()}`;
      await route.fulfill({ response: answer, body });
    });
    await page.goto(address);
    const told = await page.textContent("#trouble:not([hidden])", { timeout: TIMEOUT_MS });
    assert(told!.startsWith("This page needs WebGPU"), told!);
    assert(told!.includes("chrome://flags/#enable-unsafe-webgpu"), told!);
    await page.screenshot({ path: `${PICTURES}/without_webgpu.png`, fullPage: true });
  });
});

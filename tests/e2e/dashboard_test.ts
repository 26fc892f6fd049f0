/** A run that is watched while it trains: someone holds it, has a seed sown, and the log repeats it all. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { faint, unnamed, unreachable } from "../support/accessibility.ts";
import { hasBrowser, withBrowser } from "../support/browser.ts";
import { runEsper } from "../support/subprocess.ts";
import { ENVIRONMENT, jsonLines, loggedEdges, newRun, withConfig } from "./program.ts";

/** Enough for the run to go on until it is held. */
const STEPS = 240;
/** Where pictures of the page are left for people to look at. */
const PICTURES = `${Deno.env.get("TMPDIR") ?? "/tmp"}/esper-dashboard`;

/** Starts a watched run, hands its address to `work`, and resolves with the exit code when it has ended. */
async function watched(root: string, work: (address: string) => Promise<void>): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "main.ts", ...newRun(root, "--dashboard", "--quiet")],
    env: ENVIRONMENT,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const errors = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    while (!/dashboard: (\S+)\n/.test(text)) {
      const { value, done } = await errors.read();
      assert(!done, `it ended before it could be watched: ${text}`);
      text += value;
    }
    await work(text.match(/dashboard: (\S+)\n/)![1]);
    for (let more = await errors.read(); !more.done; more = await errors.read()) text += more.value;
  } catch (error) {
    await errors.cancel();
    await Promise.race([child.status, new Promise((resolve) => setTimeout(resolve, 100))]);
    throw new Error(`${text}${(error as Error).message}`, { cause: error });
  } finally {
    await child[Symbol.asyncDispose]();
  }
  return (await child.status).code;
}

Deno.test("train --dashboard: a page holds the run, steps it, sows and forbids; replay comes to the same weights", async () => {
  if (!hasBrowser()) return;
  const errors: string[] = [];
  let held = 0;
  await withConfig("points", { train: { maxSteps: STEPS } }, async (root) => {
    const code = await watched(root, (address) =>
      withBrowser(async (browser) => {
        // Held as soon as can be.
        const { origin, searchParams } = new URL(address);
        const ask = (body: unknown) =>
          fetch(`${origin}/command`, {
            method: "POST",
            headers: { authorization: `Bearer ${searchParams.get("token")}` },
            body: JSON.stringify(body),
          });
        await (await ask({ command: "pause" })).body!.cancel();
        const tab = await browser.newPage();
        tab.on("console", (message) => message.type() === "error" && errors.push(message.text()));
        tab.on("pageerror", (error) => errors.push(error.message));
        tab.setDefaultTimeout(20_000);
        await tab.goto(address);
        const shows = async (place: string, text: string) => {
          for (
            let tries = 0;
            !(await tab.locator(place).allTextContents()).join("\n").includes(text);
            tries++
          ) {
            assert(tries < 600, `${place} did not come to show "${text}"`);
            await tab.waitForTimeout(50);
          }
        };
        await shows("#status", "holding at tick ");
        assertEquals([await unnamed(tab), await unreachable(tab)], [[], []]);
        held = Number((await tab.textContent("#status"))!.match(/tick (\d+)/)![1]);
        assertEquals(await tab.locator("#pause").isDisabled(), true);
        await tab.selectOption("#legal", { label: "germinate affine in layer2" });
        await tab.click("#veto");
        await shows("#vetoed option", "germinate affine in layer2");
        await tab.selectOption("#legal", { label: "germinate mlp in layer1" });
        await tab.click("#force");
        await shows("#next", "germinate mlp in layer1");
        await tab.click("#step");
        await shows("#status", `holding at tick ${held + 1}`);
        await shows("#sections svg[aria-label='Loss by step']", "step →");
        await tab.click("#resume");
        await shows("#answer", "the run has ended");
        await shows("#sections h3", "layer1/1 mlp");
        assertEquals(await tab.locator("#controls").isVisible(), false);
        assertMatch((await tab.textContent("#news"))!, /^tick \d+: layer1\/1 mlp is [A-Z]+ now \([a-z ]+\)$/);
        for (const colorScheme of ["light", "dark"] as const) {
          await tab.emulateMedia({ colorScheme });
          assertEquals([await unnamed(tab), await unreachable(tab), await faint(tab)], [[], [], []]);
        }
        await tab.screenshot({ path: `${PICTURES}/dashboard.png`, fullPage: true });
      }));
    assertEquals([code, errors], [0, []]);

    const run = `${root}/runs/points-1`;
    const people = (await jsonLines(`${run}/events.jsonl`)).filter(({ topic }) => topic === "person.decided");
    assertEquals(people.map(({ command }) => command), ["pause", "veto", "force", "step", "resume"]);
    assertEquals(people.slice(1).map(({ tick }) => tick), [held, held, held, held + 1]);
    const [first] = await loggedEdges(run);
    assertEquals([first.tick, first.seed, first.blueprint, first.to], [
      held,
      "layer1/1",
      "mlp",
      "GERMINATED",
    ]);
    const replayed = await runEsper(["replay", run], ENVIRONMENT);
    assertEquals([replayed.code, replayed.stderr], [0, ""]);
    assertMatch(replayed.stdout, /^240 steps, 60 ticks, 1 actions, .*\nweights [0-9a-f]{64}: as recorded\n$/);
  });
});

Deno.test("serve RUN shows a run that has ended, until it is told to stop", () =>
  withConfig("points", { train: { maxSteps: 20 } }, async (root) => {
    assertEquals((await runEsper(newRun(root, "--quiet"), ENVIRONMENT)).code, 0);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "main.ts", "serve", `${root}/runs/points-1`],
      env: ENVIRONMENT,
      stdout: "piped",
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const address = (await lines.read()).value!.trim();
    const { origin, searchParams } = new URL(address);
    const picture = await (await fetch(`${origin}/picture?token=${searchParams.get("token")}`)).text();
    assertMatch(picture, /<b>completed<\/b>/);
    assertMatch(picture, /<h2>Architecture<\/h2>/);
    child.kill("SIGINT");
    while (!(await lines.read()).done);
    assertEquals((await child.status).code, 0);
  }));

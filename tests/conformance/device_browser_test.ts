import { hasBrowser, withPage } from "../support/browser.ts";
import { deviceChecks } from "./device_suite.ts";

/** What the page has as globals. */
declare function runCheck(name: string): Promise<string | null>;

const TIMEOUT_MS = 300_000;

Deno.test("browser", async (test) => {
  if (!hasBrowser()) return;
  const faults = new Map<string, string | null>();
  await withPage(new URL("device_page.ts", import.meta.url), async (page) => {
    const late = setTimeout(() => page.close(), TIMEOUT_MS);
    for (const { name } of deviceChecks) {
      const fault = page.evaluate((name) => runCheck(name), name);
      faults.set(name, await fault.catch((error: Error) => error.message));
    }
    clearTimeout(late);
  });
  for (const { name } of deviceChecks) {
    await test.step(name, () => {
      const fault = faults.get(name);
      if (fault !== null) throw new Error(fault);
    });
  }
});

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runEsper } from "../support/subprocess.ts";

Deno.test("main.ts slots lists the injection points of a network, with what fits there", async () => {
  const args = ["slots", "--config", "cifar10", "--set", 'growth.blueprints=["conv3","se"]'];
  const { code, stdout, stderr } = await runEsper(args);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /block1 +\[16, 16, 32\] +\d+ +\d+ +conv3 \d+ \/ \d+, se \d+ \/ \d+\n/);
  assertMatch(stdout, /\n3 slots in a host of \d+ parameters and \d+ FLOPs an example\n$/);
});

Deno.test("main.ts slots --json tells taps without a slot from slots, and where nothing fits", async () => {
  const { code, stdout } = await runEsper([
    ...["slots", "--config", "spirals", "--json", "--set", 'growth.slots=["layer2"]'],
    ...["--set", 'growth.blueprints=["mlp","conv3"]'],
  ]);
  assertEquals(code, 0);
  const { slots } = JSON.parse(stdout);
  assertEquals(slots.slice(0, 2).map(({ name }: { name: string }) => name), ["layer1", "layer2"]);
  assertEquals(slots[0].fits, null);
  const fits = slots[1].fits.map((
    { blueprint, fit }: { blueprint: string; fit: { fits: boolean } },
  ) => [blueprint, fit.fits]);
  assertEquals(fits, [["mlp", true], ["conv3", false]]);
});

Deno.test("main.ts slots names what is wrong", async () => {
  const none = await runEsper(["slots", "--config", "cifar10", "--set", 'growth.slots=["blok*"]']);
  assertEquals(none.code, 2);
  assertStringIncludes(none.stderr, 'esper: morph: 0 slots matched "blok*"');
  const config = await runEsper(["slots"]);
  assertEquals(config.code, 2);
  assertStringIncludes(config.stderr, "slots: want --config NAME; configs/ has cifar10");
});

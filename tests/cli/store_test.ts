import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createFileStore } from "../../src/urza/adapters/files.ts";
import { PIN_MS } from "../../src/urza/pins.ts";
import { runEsper } from "../support/subprocess.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A run folder whose store has a checkpoint of two blobs, a record, and a blob that may go. */
async function withRun(body: (run: string, weights: string) => Promise<void>): Promise<void> {
  const run = await Deno.makeTempDir();
  try {
    const store = createFileStore(`${run}/store`, () => Date.now() - 2 * PIN_MS);
    const [weights, moments, record] = [
      await store.put(bytesOf("weights")),
      await store.put(bytesOf("moments")),
      await store.put(bytesOf("ir")),
    ];
    await store.put(bytesOf("rubbish"));
    await store.records.register("blueprint", record, { name: "conv3" });
    const present = { numbers: [weights, moments] };
    await store.writeManifest("checkpoint", "step-1", { config: "0".repeat(64), present });
    await body(run, weights);
  } finally {
    await Deno.remove(run, { recursive: true });
  }
}

Deno.test("main.ts store ls, verify and gc look after a run's store", () =>
  withRun(async (run) => {
    const ls = await runEsper(["store", "ls", run]);
    assertEquals([ls.code, ls.stderr], [0, ""]);
    assertMatch(ls.stdout, /^checkpoint +step-1 +2 +14 B$/m);
    assertMatch(ls.stdout, /^blueprint +[0-9a-f]{12} +UNVALIDATED +conv3$/m);
    assertStringIncludes(ls.stdout, "4 blobs, 23 B; nothing mentions 1 of them, 7 B");
    const dry = await runEsper(["store", "gc", run, "--dry-run"]);
    assertEquals([dry.code, dry.stdout], [0, `${run}/store: would remove 1 blob, 7 B\n`]);
    const gc = await runEsper(["store", "gc", `${run}/store/`, "--json"]);
    assertEquals(JSON.parse(gc.stdout), { blobs: 1, temporaries: 0, sizeBytes: 7, dryRun: false });
    const verify = await runEsper(["store", "verify", run]);
    assertEquals(verify.code, 0);
    assertMatch(verify.stdout, /: 3 blobs, 1 manifest and 1 record read, .*: all whole\n$/);
  }));

Deno.test("main.ts store verify names what is damaged, and --repair moves it aside", () =>
  withRun(async (run, weights) => {
    const blob = `${run}/store/blobs/${weights.slice(0, 2)}/${weights}`;
    await Deno.writeTextFile(blob, "weightz");
    const faults = [
      `blobs/${weights.slice(0, 2)}/${weights}: want content with that SHA-256, got `,
      `manifests/checkpoint/step-1.json: refers to blob ${weights}, which is damaged`,
    ];
    const found = await runEsper(["store", "verify", run]);
    assertEquals(found.code, 1);
    faults.forEach((fault) => assertStringIncludes(found.stdout, fault));
    assertStringIncludes(found.stdout, ": 2 faults\n");
    const repaired = await runEsper(["store", "verify", run, "--repair"]);
    assertEquals(repaired.code, 0);
    assertStringIncludes(repaired.stdout, " → moved to damaged/\n");
    assertEquals(
      await Deno.readTextFile(`${run}/store/damaged/blobs/${weights.slice(0, 2)}/${weights}`),
      "weightz",
    );
    assertEquals((await runEsper(["store", "verify", run])).code, 0);
    assertEquals(await createFileStore(`${run}/store`).listManifests("checkpoint"), []);
  }));

Deno.test("main.ts store says what it wants", async () => {
  const misuse: [string[], string][] = [
    [[], "store: want ls, verify, gc, copy, migrate or checkout, got nothing"],
    [
      ["verfy", "x"],
      'store: want ls, verify, gc, copy, migrate or checkout, got "verfy"; did you mean "verify"?',
    ],
    [["gc"], "store gc: want a run folder such as runs/cifar10-1, got none"],
    [
      ["ls", "/nowhere"],
      'store: want a run folder with a store in it, such as runs/cifar10-1, got "/nowhere"',
    ],
    [["ls", "x", "--repair"], "--repair: belongs to store verify, not to store ls"],
  ];
  for (const [args, line] of misuse) {
    const { code, stderr } = await runEsper(["store", ...args]);
    assertEquals([code, stderr], [2, `esper: ${line}\n`]);
  }
});

Deno.test("main.ts store copy brings a store whole to another place, goes on where it stopped, and overwrites nothing", () =>
  withRun(async (run) => {
    const to = `${run}/copy`;
    const first = await runEsper(["store", "copy", run, to]);
    assertEquals([first.code, first.stderr], [0, ""]);
    assertMatch(first.stdout, /^4 blobs, 1 manifest and 1 record, [\d.]+ \w+, there and compared\n$/);
    // As if it had been killed half-way.
    const store = createFileStore(to);
    await store.removeManifest("checkpoint", "step-1");
    assertEquals((await runEsper(["store", "copy", run, to])).stdout, first.stdout);
    assertEquals(
      await store.readManifest("checkpoint", "step-1"),
      await createFileStore(`${run}/store`).readManifest("checkpoint", "step-1"),
    );
    const [record] = await store.records.list("blueprint");
    assertEquals([record.state, record.meta], ["UNVALIDATED", { name: "conv3" }]);
    await store.writeManifest("checkpoint", "step-1", { other: true });
    const refused = await runEsper(["store", "copy", run, to]);
    assertEquals(refused.code, 1);
    assertStringIncludes(
      refused.stderr,
      `store copy: want nothing or the same at ${to}/manifests/checkpoint/step-1.json`,
    );
    assertEquals(await store.readManifest("checkpoint", "step-1"), { other: true });
  }));

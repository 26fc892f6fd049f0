import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { follow, newRun, withConfig } from "../e2e/program.ts";
import { runEsper } from "../support/subprocess.ts";

const SOWN = {
  train: { maxSteps: 40 },
  loop: { checkpointTicks: 1, keepCheckpoints: 20 },
  controller: {
    kind: "fixed",
    schedule: [{ tick: 1, action: "germinate", slot: "layer1", blueprint: "mlp" }],
  },
};

Deno.test("main.ts inspect RUN prints the slots of a run, and with --graph the network of a run with its seeds, and draws it", () =>
  withConfig("points", SOWN, async (root) => {
    const { code, stderr } = await follow(newRun(root));
    assertEquals([code, stderr], [0, ""]);
    const run = `${root}/runs/points-1`;
    // As if it had been killed in its seed's life.
    const checkpoints = `${run}/store/manifests/checkpoint`;
    for (const { name } of [...Deno.readDirSync(checkpoints)]) {
      if (name !== "step-000000016.json") await Deno.remove(`${checkpoints}/${name}`);
    }
    const brief = await runEsper(["inspect", run]);
    assertEquals([brief.code, brief.stderr], [0, ""]);
    assertMatch(
      brief.stdout,
      /^points-1 at step-0*16: 123 → \d{3} parameters, [\d.]+ k?FLOP → [\d.]+ k?FLOP an example, host → with seeds\n/,
    );
    assertMatch(brief.stdout, /^layer1 +[A-Z]+ +mlp +[\d.]+\nlayer2 +DORMANT$/m);
    assertEquals([...Deno.readDirSync(run)].filter(({ name }) => name.endsWith(".svg")), []);
    assertEquals(JSON.parse((await runEsper(["inspect", run, "--json"])).stdout).svg, undefined);

    const shown = await runEsper(["inspect", run, "--graph"]);
    assertEquals([shown.code, shown.stderr], [0, ""]);
    assertMatch(shown.stdout, /^ +0 +input +2 +1 +0 +0$/m);
    assertMatch(shown.stdout, /^ +\d+ +slot +\d+ +8 +1 +0 +0 +layer1: [A-Z]+ mlp, α [\d.]+$/m);
    assertMatch(shown.stdout, /^ +\d+ +slot +\d+ +8 +1 +0 +0 +layer2: DORMANT$/m);
    assertMatch(
      shown.stdout,
      /\npoints-1 at step-0*16: \d+ parameters, .* an example, \d+ nodes, \d+ edges\n/,
    );
    assertStringIncludes(shown.stdout, `written to ${run}/graph.svg`);
    const svg = await Deno.readTextFile(`${run}/graph.svg`);
    assertMatch(svg, /^<svg [^]*points-1 at step-0*16[^]*<\/svg>\n$/);

    const json = await runEsper(["inspect", run, "--graph", "--json", "--out", `${root}/own.svg`]);
    const { graph, slots, checkpoint } = JSON.parse(json.stdout);
    assertMatch(checkpoint, /^step-0*16$/);
    assertEquals(slots.map(({ slot }: { slot: string }) => slot), ["layer1", "layer2"]);
    assert(graph.edges.some(([from]: number[]) => from === graph.slots.layer1));
    assertEquals(await Deno.readTextFile(`${root}/own.svg`), svg);

    // A checkpoint whose slots are not those of the network.
    const path = `${checkpoints}/${checkpoint}.json`;
    const manifest = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, manifest.replaceAll('"layer1"', '"layer9"'));
    const damaged = await runEsper(["inspect", run, "--graph"]);
    assertEquals(damaged.code, 1);
    assertMatch(damaged.stderr, /^esper: .*step-0*16.*\n$/);
  }));

Deno.test("main.ts inspect names what is wrong", async () => {
  const cases: readonly (readonly [args: string[], text: string])[] = [
    [[], "esper: inspect: want a run, by its folder or its name in runs/"],
    [["runs/none", "--out", "a.svg"], "esper: inspect: want --graph with --out, got it alone"],
    [["runs/none"], 'esper: inspect: want a run folder (with config.json), got "runs/none"'],
    [["runs/none", "--graph"], 'esper: inspect: want a run folder (with config.json), got "runs/none"'],
  ];
  for (const [args, text] of cases) {
    const { code, stderr } = await runEsper(["inspect", ...args]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, text);
  }
});

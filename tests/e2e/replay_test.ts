import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runEsper } from "../support/subprocess.ts";
import { ENVIRONMENT, follow, jsonLines, newRun, withConfig } from "./program.ts";

/** A seed that is kept, one that breaks the run and is rolled back, an action that comes too early. */
const EVENTFUL = {
  growth: { incubation: "none", gates: { trainingTicks: 2 } },
  loop: { checkpointTicks: 3 },
  controller: {
    kind: "fixed",
    schedule: [
      { tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" },
      { tick: 4, action: "advance", slot: "layer2" },
      { tick: 6, action: "germinate", slot: "layer1", blueprint: "nan" },
      { tick: 9, action: "fossilize", slot: "layer2" },
    ],
  },
};

Deno.test("replay runs the log again, rollbacks and interruptions included, and comes to the same weights", async () => {
  await withConfig("points", EVENTFUL, async (root) => {
    const run = `${root}/runs/points-1`;
    // A limit of steps that changes with the resumption, which what is legal depends on.
    assertEquals((await follow(newRun(root, "--max-steps", "22", "--profile", "small"))).code, 0);
    assertEquals((await follow(["--resume", run, "--max-steps", "60"])).code, 0);
    const before = await Deno.readTextFile(`${run}/events.jsonl`);
    const { code, stdout, stderr } = await runEsper(["replay", run, "--json"], ENVIRONMENT);
    assertEquals([code, stderr], [0, ""]);
    const { weights, ...report } = JSON.parse(stdout);
    const events = await jsonLines(`${run}/events.jsonl`);
    const { weights: recorded } = events.findLast(({ topic }) => topic === "run.finished");
    assertEquals(weights, recorded);
    assertEquals(report.steps, 60);
    assert(report.rollbacks >= 1 && report.actions >= 2, stdout);
    assertEquals(await Deno.readTextFile(`${run}/events.jsonl`), before);

    // The actions are the log's: one left out makes another network.
    const log = `${run}/metrics.jsonl`;
    const text = await Deno.readTextFile(log);
    await Deno.writeTextFile(
      log,
      text.replace('{"kind":"germinate","slot":"layer2","blueprint":"mlp"}', '{"kind":"wait"}'),
    );
    const changed = await runEsper(["replay", run], ENVIRONMENT);
    assertEquals(changed.code, 1);
    assertStringIncludes(changed.stderr, `replay: want weights ${recorded} at step 60, got `);
  });
});

Deno.test("replay wants a run that ended", async () => {
  await withConfig("points", { train: { maxSteps: 40 } }, async (root) => {
    await follow(newRun(root), ({ topic }, kill) => topic === "tick.report" && kill("SIGKILL"));
    const { code, stderr } = await runEsper(["replay", `${root}/runs/points-1`], ENVIRONMENT);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "replay: want a run that ended, got ");
  });
});

/** A network is scored again: by the checkpoint of its run, and by the file that was exported. */
import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { runEsper } from "../support/subprocess.ts";
import { ENVIRONMENT, follow, newRun, withConfig } from "./program.ts";

/** Ends with a fossil, and with a seed that is not one. */
const GROWING = {
  train: { maxSteps: 60 },
  growth: { incubation: "none", gates: { trainingLimit: 100 } },
  controller: {
    kind: "fixed",
    schedule: [
      { tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" },
      { tick: 4, action: "advance", slot: "layer2" },
      { tick: 8, action: "fossilize", slot: "layer2" },
      { tick: 11, action: "germinate", slot: "layer1", blueprint: "mlp" },
    ],
  },
};

const evaluate = async (...args: string[]) => {
  const { code, stdout, stderr } = await runEsper(["eval", ...args, "--json"], ENVIRONMENT);
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
};

Deno.test("eval gives a run's own scores to the last bit, those of its file up to rounding, and opens the test set only when told", async () => {
  await withConfig("points", GROWING, async (root) => {
    const run = `${root}/runs/points-1`;
    const { lines } = await follow(newRun(root, "--seed", "5"));
    const { after, test, grown, host } = lines.at(-1)!.payload;
    assert(grown.params > host.params, "want a fossil");
    const files = JSON.stringify([...Deno.readDirSync(`${run}/store/manifests/checkpoint`)]);
    const validation = await evaluate(run), tested = await evaluate(run, "--split", "test");
    assertEquals(
      [validation.split, validation.loss, validation.accuracy, validation.step, validation.parameters],
      ["validation", after.loss, after.accuracy, 60, grown.params],
    );
    assertEquals([tested.split, tested.loss, tested.accuracy, tested.examples], [
      "test",
      test.loss,
      test.accuracy,
      64,
    ]);
    assertEquals(JSON.stringify([...Deno.readDirSync(`${run}/store/manifests/checkpoint`)]), files);

    await runEsper(["export", run], ENVIRONMENT);
    const config = ["--config", `${root}/config.json`, "--set", "seed=5"];
    const file = await evaluate(`${run}/model.safetensors`, ...config);
    assertEquals([file.accuracy, file.step, file.checkpoint], [after.accuracy, 60, null]);
    assertAlmostEquals(file.loss, after.loss, 1e-4);
    const best = await evaluate(run, "--checkpoint", "best");
    assert(best.checkpoint === "best" && best.step <= 60);

    const said = async (...args: string[]) => {
      const { code, stderr } = await runEsper(["eval", ...args], ENVIRONMENT);
      assert(code !== 0 && stderr.trim().split("\n").length === 1, stderr);
      return stderr;
    };
    assertMatch(
      await said(run, "--checkpoint", "7"),
      /--checkpoint: want newest, best or a step out of .*60, got "7"/,
    );
    assertMatch(await said(`${run}/model.safetensors`), /eval: want --config NAME, whose data/);
    const record = JSON.parse(await Deno.readTextFile(`${run}/run.json`));
    record.dataset.sha256 = "0".repeat(64);
    await Deno.writeTextFile(`${run}/run.json`, JSON.stringify(record));
    assertMatch(
      await said(run),
      /eval: want spirals with SHA-256 0{64}, got spirals with [0-9a-f]{64}; give the run its own/,
    );
  });
});

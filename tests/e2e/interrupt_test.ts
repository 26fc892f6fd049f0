import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { follow, jsonLines, loggedEdges, newestCheckpoint, newRun, withConfig } from "./program.ts";

/** A seed becomes a fossil, another is pruned; a checkpoint every second tick. */
const GROWING = {
  train: { maxSteps: 90 },
  loop: { checkpointTicks: 2 },
  controller: {
    kind: "fixed",
    schedule: [
      { tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" },
      { tick: 4, action: "advance", slot: "layer2" },
      { tick: 6, action: "germinate", slot: "layer1", blueprint: "affine" },
      { tick: 8, action: "fossilize", slot: "layer2" },
      { tick: 12, action: "prune", slot: "layer1" },
    ],
  },
};

/** What must be the same whatever happened on the way. */
async function result(run: string) {
  return { checkpoint: await newestCheckpoint(run), edges: await loggedEdges(run) };
}

let reference: ReturnType<typeof result> | undefined;
function uninterrupted() {
  return reference ??= withConfig("points", GROWING, async (root) => {
    const { code, stderr } = await follow(newRun(root));
    assertEquals([code, stderr], [0, ""]);
    return await result(`${root}/runs/points-1`);
  });
}

Deno.test("Ctrl-C ends with 130 and a checkpoint; --resume ends with the bits of an uninterrupted run", async () => {
  await withConfig("points", GROWING, async (root) => {
    let stepped = 0;
    const first = await follow(newRun(root), ({ topic }, kill) => {
      if (topic === "step.metrics" && ++stepped === 9) kill("SIGINT");
    });
    assertEquals(first.code, 130);
    assertEquals(
      first.stderr,
      "\nstopping after this step and writing a checkpoint; Ctrl-C again exits at once\n",
    );
    const stopped = first.lines.at(-1)!;
    assertEquals([stopped.topic, stopped.payload.outcome, stopped.payload.test], [
      "result",
      "interrupted",
      null,
    ]);
    const run = `${root}/runs/points-1`;
    assertEquals((await newestCheckpoint(run)).present.state.progress.step, stopped.payload.steps);

    const second = await follow(["--resume", run]);
    assertEquals([second.code, second.stderr], [0, ""]);
    assertEquals(second.lines[0].payload.resumedAt, stopped.payload.steps);
    assertEquals(await result(run), await uninterrupted());
  });
});

Deno.test("a second Ctrl-C exits at once", async () => {
  // Training ends at once; then a large validation set is scored, which the first Ctrl-C does not shorten.
  const endless = {
    data: { count: 1_000_000, split: { validation: 900_000 } },
    train: { maxSteps: 4 },
  };
  await withConfig("points", endless, async (root) => {
    const started = performance.now();
    let ended = Infinity;
    const { code, lines, stderr } = await follow(newRun(root), ({ topic, payload }, kill) => {
      if (topic !== "checkpoint.saved" || payload.step !== 4) return;
      kill("SIGINT");
      setTimeout(() => kill("SIGINT"), 300);
      ended = performance.now();
    });
    assertEquals([code, lines.some(({ topic }) => topic === "result")], [130, false]);
    assertStringIncludes(stderr, "stopping after this step");
    assert(performance.now() - ended < 5000, `took ${performance.now() - started} ms`);
  });
});

Deno.test("a run that was killed before its first checkpoint begins again and says so", async () => {
  await withConfig("points", { train: { maxSteps: 8 } }, async (root) => {
    const run = `${root}/runs/points-1`;
    await follow(newRun(root), ({ topic }, kill) => topic === "run.started" && kill("SIGKILL"));
    const { code, lines } = await follow(["--resume", run]);
    assertEquals(code, 0);
    const notices = lines.flatMap(({ topic, payload }) => topic === "notice" ? [payload.text] : []);
    assert(notices.includes("the run had no checkpoint yet: it begins again"), notices.join());
    const started = (await jsonLines(`${run}/events.jsonl`)).filter(({ topic }) => topic === "run.started");
    assertEquals(started.length, 1);
  });
});

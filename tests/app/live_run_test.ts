import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { byHand } from "../../src/app/by_hand.ts";
import { type LiveRun, type LiveRunParts, openLiveRun } from "../../src/app/live_run.ts";
import type { Action, Stage } from "../../src/contracts/control.ts";
import { splitTrain } from "../../src/engine/data/split.ts";
import { selectExamples } from "../../src/engine/data/dataset.ts";
import { createController } from "../../src/tamiyo/mod.ts";
import { UserError } from "../../src/util/errors.ts";
import { openShared } from "../support/devices.ts";
import { NEVER, tinyConfig, tinyData, type TinyKind } from "../support/session.ts";
import { observationLike, slotLike } from "../tamiyo/observations.ts";

const WAIT: Action = { kind: "wait" };
const SOW: Action = { kind: "germinate", slot: "layer1", blueprint: "mlp" };

Deno.test("a controller by hand decides itself until it is asked, waits while evidence is short, and drops what is too late", async () => {
  const controller = byHand(createController({ kind: "off" }, 1));
  const at = (stage: Stage, ...legal: Action[]) =>
    observationLike({ legal: [WAIT, ...legal], slots: [slotLike("layer1", { stage })] });
  const keep: Action = { kind: "fossilize", slot: "layer1" };
  assertEquals((await controller.decide(at("HOLDING", keep))).why, "growth is off");
  controller.ask(keep);
  assertEquals((await controller.decide(at("HOLDING"))).action, WAIT);
  assertEquals(controller.asked, keep);
  assertEquals(await controller.decide(at("HOLDING", keep)), {
    action: keep,
    why: "asked for by hand",
    warnings: [],
  });
  assertEquals([controller.asked, (await controller.decide(at("HOLDING", keep))).action], [null, WAIT]);
  controller.ask(keep);
  const { action, warnings } = await controller.decide(at("EMBARGOED"));
  assertEquals([action, warnings, controller.asked], [WAIT, [
    "fossilize layer1: it is too late for what was asked for",
  ], null]);
});

async function open(kind: TinyKind, changes: Partial<LiveRunParts> = {}): Promise<LiveRun> {
  const config = tinyConfig(kind, { train: { maxSteps: 400 } });
  const gpu = (await openShared("native"))!, data = await tinyData(config);
  return await openLiveRun({
    gpu,
    config,
    ticks: 1000,
    data,
    network: null,
    policy: null,
    store: null,
    viewed: 24,
    onEvent() {},
    ...changes,
  });
}

/** Trains on until an action is legal, asks for it, and trains on until it is done. */
async function take(run: LiveRun, action: Action): Promise<void> {
  for (let k = 0; k < 25 && run.refusal(action) !== null; k++) await run.tick(NEVER);
  run.ask(action);
  for (let k = 0; k < 25 && run.asked !== null; k++) await run.tick(NEVER);
  assertEquals(run.asked, null, JSON.stringify(run.refusal(action)));
}

/** Mean loss on the validation split by what the onlooker sees. */
async function seenLoss(run: LiveRun, kind: TinyKind): Promise<number> {
  const config = tinyConfig(kind), { dataset, split } = await tinyData(config);
  const { validation } = splitTrain(dataset.train.labels, dataset.classes.length, split, config.seed);
  const { data, labels, count } = selectExamples(dataset.train, dataset.shape, validation);
  const { normalisation } = run.session.input, classes = dataset.classes.length;
  const x = Float32Array.from(
    data,
    (value, i) =>
      normalisation
        ? (value / 255 - normalisation.mean[i % normalisation.mean.length]) /
          normalisation.std[i % normalisation.std.length]
        : value,
  );
  const probabilities = await run.onlooker.probabilities(x);
  return labels.reduce((sum, label, k) => sum - Math.log(probabilities[k * classes + label]), 0) / count;
}

for (const [kind, slot, blueprint] of [["points", "layer1", "mlp"], ["images", "block1", "conv3"]] as const) {
  Deno.test(`an onlooker sees what the run scores, whatever has grown, and costs it nothing [${kind}]`, async () => {
    const run = await open(kind), { trainer } = run.session;
    try {
      await take(run, { kind: "germinate", slot, blueprint });
      await take(run, { kind: "advance", slot });
      for (let k = 0; k < 2; k++) await run.tick(NEVER);
      const { lifecycle } = trainer.parts,
        stage = lifecycle.stageOf(slot),
        alpha = lifecycle.alphaAt(slot, 0);
      assert(stage === "BLENDING" && alpha > 0 && alpha < 1, `${stage} ${alpha}`);
      for (const fossil of [false, true]) {
        if (fossil) await take(run, { kind: "fossilize", slot });
        const { total } = trainer.ledger;
        const seen = await seenLoss(run, kind);
        assertEquals(trainer.ledger.total, total);
        assertAlmostEquals(seen, (await trainer.score("validation")).loss, 1e-5);
      }
    } finally {
      await run.close();
    }
  });
}

Deno.test("a live run goes on from its store, and its network from its file, to the same numbers", async () => {
  const run = await open("points");
  await take(run, SOW);
  await run.tick(NEVER);
  const { store } = run, loss = await seenLoss(run, "points"), { step } = run.session.trainer.progress;
  await run.close();
  const next = await open("points", { store });
  assertEquals([next.session.trainer.progress.step, await seenLoss(next, "points")], [step, loss]);
  await take(next, { kind: "advance", slot: "layer1" });
  await take(next, { kind: "fossilize", slot: "layer1" });
  await assertRejects(() => next.exported(), UserError, "got layer1 just kept; train one more tick");
  await next.tick(NEVER);
  const network = await next.exported(), grown = await seenLoss(next, "points");
  await next.close();
  const opened = await open("points", { network });
  assertAlmostEquals(await seenLoss(opened, "points"), grown, 1e-5);
  await opened.tick(NEVER);
  await opened.close();
  await assertRejects(() => open("images", { network }), Error, "as the data has");
});

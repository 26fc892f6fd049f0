import { assert, assertEquals, assertRejects } from "@std/assert";
import { RunFolder } from "../../src/app/adapters/run_folder.ts";
import { buildNetwork } from "../../src/app/network.ts";
import { replayRun } from "../../src/app/replay.ts";
import { createSession } from "../../src/app/session.ts";
import type { Action } from "../../src/contracts/control.ts";
import { UserError } from "../../src/util/errors.ts";
import { openShared } from "../support/devices.ts";
import { NEVER, tinyConfig, tinyData } from "../support/session.ts";

const ACTIONS: Readonly<Record<number, Action>> = {
  1: { kind: "germinate", slot: "layer2", blueprint: "mlp" },
  // None of these is legal: the slot is taken, the seed too young, the blueprint of no seed.
  2: { kind: "germinate", slot: "layer2", blueprint: "affine" },
  3: { kind: "fossilize", slot: "layer2" },
  4: { kind: "advance", slot: "layer1" },
};

/** Trains into a folder under a controller that does as it likes; leaves what a replay reads. */
async function trainWilfully(root: string): Promise<string> {
  const gpu = (await openShared("native"))!, config = tinyConfig("points", { train: { maxSteps: 32 } });
  const data = await tinyData(config), folder = RunFolder.create(root, "wilful");
  const { name, sha256 } = data.dataset;
  folder.writeJson("config.json", config);
  folder.writeJson("kernels.json", { version: 1, kernels: {} });
  folder.writeJson("run.json", {
    profile: "small",
    unsafeGpu: false,
    dataset: { name, sha256 },
    adapter: gpu.adapter,
  });
  const session = createSession({
    config,
    gpu,
    data,
    network: buildNetwork(config, data.dataset.shape, data.dataset.classes.length),
    folder,
    onEvent() {},
    controller: {
      kind: "off",
      decide: ({ tick }) => ({ action: ACTIONS[tick] ?? { kind: "wait" }, why: "wilful", warnings: [] }),
      save: () => null,
      restore() {},
    },
  });
  const { trainer, bus } = session, run = "wilful-1";
  try {
    await session.start(false);
    await bus.publish("run.started", {
      ...{ run, config: config.name, dataset: name, adapter: "a", profile: "small", dryRun: false },
      ...{ budgetFlops: trainer.ledger.budget, maxSteps: 32, resumedAt: 0 },
    });
    await trainer.run(NEVER);
    await trainer.save();
    const { weights } = session, { step } = trainer.progress;
    await bus.publish("run.finished", {
      run,
      reason: "completed",
      step,
      loss: null,
      accuracy: null,
      weights,
    });
  } finally {
    await session.destroy();
    folder.close();
  }
  return folder.path;
}

Deno.test("replayRun() has vetoed actions vetoed again, and says where a log tells of other vetoes", async () => {
  const root = await Deno.makeTempDir();
  try {
    const directory = await trainWilfully(root);
    const replay = () => replayRun({ directory, backend: "native", signal: new AbortController().signal });
    const { weights, ...report } = await replay();
    assertEquals(report, { steps: 32, ticks: 8, actions: 4, vetoes: 3, rollbacks: 0 });
    assertEquals(weights.length, 64);
    const log = `${directory}/events.jsonl`, text = await Deno.readTextFile(log);
    const lines = text.split("\n"), veto = lines.findIndex((line) => line.includes("action.vetoed"));
    assert(veto >= 0);
    await Deno.writeTextFile(log, lines.toSpliced(veto, 1).join("\n"));
    const error = await assertRejects(replay, UserError);
    assert(error.message.includes("; action.vetoed: want "), error.message);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

/** Networks of real runs: what is written is what was trained, without what only training needs. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readNetwork, writeNetwork } from "../../src/app/export_file.ts";
import { networkOfRun, type RunContents } from "../../src/app/export_run.ts";
import type { RunConfig } from "../../src/contracts/config.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { stepInput } from "../../src/engine/graph/tensor.ts";
import { TraceScope } from "../../src/engine/nn/scope.ts";
import { createFileStore } from "../../src/urza/adapters/files.ts";
import { UserError } from "../../src/util/errors.ts";
import { assertClose } from "../support/close.ts";
import { openShared } from "../support/devices.ts";
import { logitsOf } from "../support/exported.ts";
import { runGraph } from "../support/run_graph.ts";
import { NEVER, type OpenSession, openSession, tinyConfig, type TinyKind } from "../support/session.ts";
import { numbers } from "../support/store.ts";

const GROWING: Record<TinyKind, object> = {
  points: {
    train: { maxSteps: 48 },
    controller: {
      kind: "fixed",
      schedule: [
        { tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" },
        { tick: 4, action: "advance", slot: "layer2" },
        { tick: 8, action: "fossilize", slot: "layer2" },
        { tick: 9, action: "germinate", slot: "layer1", blueprint: "affine" },
      ],
    },
  },
  images: {
    train: { maxSteps: 48 },
    host: { kind: "cnn", channels: [4, 8], norm: "batch" },
    growth: { planted: [{ slot: "block1", blueprint: "conv3" }] },
    controller: {
      kind: "fixed",
      schedule: [
        { tick: 1, action: "germinate", slot: "block1", blueprint: "se" },
        { tick: 2, action: "germinate", slot: "block2", blueprint: "conv3" },
        { tick: 4, action: "advance", slot: "block1" },
        { tick: 5, action: "advance", slot: "block2" },
        { tick: 8, action: "fossilize", slot: "block1" },
        { tick: 9, action: "fossilize", slot: "block2" },
      ],
    },
  },
};

/** Trains to the end, saves, and hands over the session and what its folder holds. */
async function withRun(
  gpu: Gpu,
  config: RunConfig,
  look: (run: RunContents, session: OpenSession) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const session = await openSession(gpu, config, folder);
  try {
    await session.start(false);
    await session.trainer.run(NEVER);
    await session.trainer.save();
    const record = { run: "tiny-1", dataset: { name: "tiny" }, input: session.input };
    await look({ name: "tiny-1", config, record, store: createFileStore(`${folder}/store`) }, session);
  } finally {
    await session.destroy();
    await Deno.remove(folder, { recursive: true });
  }
}

const BATCH = 8;

/** Logits of the network as the session holds it: seeds with γ apart, at α = 1. */
async function sessionLogits(
  gpu: Gpu,
  { trainer, network }: OpenSession,
  x: Float32Array,
): Promise<Float32Array> {
  const { store, examples } = trainer.parts;
  const scope = new TraceScope("running");
  const { logits } = network.model.trace(
    scope,
    stepInput("x", [BATCH, ...examples.shape]),
    trainer.progress.running,
  );
  const feeds: Record<string, Float32Array> = { x };
  for (const { name } of [...scope.parameters, ...scope.averages]) feeds[name] = await store.get(name);
  const [result] = await runGraph(gpu, [logits], feeds);
  return result as Float32Array;
}

const FOSSILS: Record<TinyKind, string[]> = {
  points: ["layer2 mlp"],
  images: ["block1 conv3", "block1 se", "block2 conv3"],
};

for (const kind of ["points", "images"] as const) {
  Deno.test(`the network of a run with ${kind} comes out as it was trained`, async () => {
    const gpu = await openShared("native");
    await withRun(gpu!, tinyConfig(kind, GROWING[kind]), async (run, session) => {
      const file = await networkOfRun(run);
      assertEquals(
        file.description.fossils.map(({ slot, blueprint }) => `${slot} ${blueprint.name}`),
        FOSSILS[kind],
      );
      assertEquals(file.description.origin, { run: "tiny-1", step: 48, dataset: "tiny", esper: "0.1.0" });
      const x = numbers("x", BATCH * session.trainer.parts.examples.shape.reduce((a, b) => a * b), 2);
      const loaded = readNetwork(writeNetwork(file), "f");
      const fossils = Object.values(session.trainer.progress.running).filter(({ mode }) => mode === "fossil");
      const { planted } = session.trainer.parts.config.growth;
      assertEquals(planted.length + fossils.length, FOSSILS[kind].length);
      // The seed that still learns at the end is part of the session's network at α = 0 or not at all.
      const got = await logitsOf(gpu!, loaded, x, BATCH);
      if (kind === "images") {
        assertClose(got, await sessionLogits(gpu!, session, x), { slack: 4, terms: 64 }, "logits");
      }
      const again = await logitsOf(gpu!, readNetwork(writeNetwork(loaded), "f"), x, BATCH);
      assertEquals(new Uint32Array(again.buffer), new Uint32Array(got.buffer));
      assert(!Object.keys(loaded.tensors).some((name) => name.startsWith("seed/")));
    });
  });
}

Deno.test("networkOfRun() says what is wrong with a run", async () => {
  const gpu = await openShared("native");
  await withRun(gpu!, tinyConfig("points", { train: { maxSteps: 4 } }), async (run) => {
    const said = async (change: Partial<RunContents>) =>
      (await assertRejects(() => networkOfRun({ ...run, ...change }), UserError)).message;
    assertStringIncludes(
      await said({ record: { run: "old-1", dataset: { name: "tiny" } } }),
      "tiny-1/run.json: input: Invalid input",
    );
    assertStringIncludes(await said({ config: { name: 7 } }), "tiny-1/config.json: name: ");
    const empty = createFileStore(`${await Deno.makeTempDir()}/store`);
    assertEquals(
      await said({ store: empty }),
      "checkpoint: want a run with one, got tiny-1, which has none; let it train a while",
    );
  });
});

/** Kernels on their way from a blueprint into the network that trains. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { ESPER_VERSION } from "../../src/app/versions.ts";
import { createTezzeret, createWorkshop, findBlueprint } from "../../src/tezzeret/mod.ts";
import { createFileStore } from "../../src/urza/adapters/files.ts";
import { createMemoryStore } from "../../src/urza/mod.ts";
import { openShared } from "../support/devices.ts";
import { edgesOf, NEVER, openSession, tinyConfig } from "../support/session.ts";

const affine = findBlueprint("affine");
const SLOT = "layer1", SHAPE = [8];

const config = tinyConfig("points", {
  train: { maxSteps: 20 },
  controller: {
    kind: "fixed",
    schedule: [{ tick: 1, action: "germinate", slot: SLOT, blueprint: "affine" }],
  },
});

/** Runs in a new folder whose store `prepare` has seen first; hands over what was left. */
async function runIn<T>(
  prepare: (store: ReturnType<typeof createFileStore>) => Promise<void>,
  look: (session: Awaited<ReturnType<typeof openSession>>, store: ReturnType<typeof createFileStore>) => T,
): Promise<Awaited<T>> {
  const gpu = (await openShared("native"))!;
  const directory = await Deno.makeTempDir();
  const store = createFileStore(`${directory}/store`);
  await prepare(store);
  const session = await openSession(gpu, config, directory);
  try {
    await session.start(false);
    await session.trainer.run(NEVER);
    await session.bus.drain();
    return await look(session, store);
  } finally {
    await session.destroy();
    await Deno.remove(directory, { recursive: true });
  }
}

/** Key of the kernels of `affine` in the slot, as a run of this version on this device finds it. */
async function kernelKey(): Promise<string> {
  const gpu = (await openShared("native"))!;
  const { adapter } = gpu;
  const workshop = createWorkshop({ gpu });
  const tezzeret = createTezzeret({ adapter, workshop, store: createMemoryStore(), version: ESPER_VERSION });
  return (await tezzeret.admit(affine, SHAPE)).key;
}

Deno.test("kernels are DEPLOYED in the run's store once a program that holds them runs", async () => {
  const key = await kernelKey();
  await runIn(() => Promise.resolve(), async (session, store) => {
    assertEquals(edgesOf(session).slice(0, 2).map(({ to }) => to), ["GERMINATED", "TRAINING"]);
    const { state, history } = await store.records.read("kernel", key);
    assertEquals([state, history.at(-1)!.reason], ["DEPLOYED", "in a running program"]);
  });
});

Deno.test("a seed whose kernels are INVALID is pruned, said aloud, and leaves nothing behind", async () => {
  const key = await kernelKey();
  const reason = "blueprint affine at [8]: want [2, 8] of fused/mul equal to the float64 reference";
  await runIn(async ({ records }) => {
    await records.register("kernel", key, null);
    await records.claim("kernel", key, "an earlier run", 60_000);
    await records.settle("kernel", key, "an earlier run", "INVALID", { reason });
  }, (session) => {
    const edges = edgesOf(session).map(({ to, reason }) => [to, reason]);
    assertEquals(edges.slice(0, 3), [
      ["GERMINATED", "action"],
      ["PRUNED", "compile_timeout"],
      ["EMBARGOED", "released"],
    ]);
    const notices = session.events.flatMap((event) => event.topic === "notice" ? [event.payload.text] : []);
    assertStringIncludes(notices.join("\n"), `the network could not grow: ${reason}`);
    assertEquals(session.trainer.parts.store.names.filter((name) => name.startsWith("seed/")), []);
  });
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { configHash, readCheckpoint, weightsHash, writeCheckpoint } from "../../src/app/checkpoint.ts";
import type { Checkpoint, SavedState } from "../../src/tolaria/mod.ts";
import { createMemoryStore } from "../../src/urza/mod.ts";
import { createStore } from "../../src/urza/create.ts";
import { memoryMedium } from "../../src/urza/memory.ts";
import { UserError } from "../../src/util/errors.ts";

const CONFIG = await configHash({ name: "test" });
const LOGS = { "events.jsonl": 12 };

/** Numbers that JSON and careless copies break: NaN with a payload, −0, infinities, a denormal. */
const AWKWARD = new Float32Array(Uint32Array.of(0x7fc00abc, 0x80000000, 0x7f800000, 0xff800000, 1).buffer);

function saved(step: number, numbers: readonly Float32Array<ArrayBuffer>[]): SavedState {
  return {
    state: {
      progress: {
        step,
        tick: 2,
        stepInTick: 1,
        updates: { host: step },
        running: { a: { seed: "a/1", blueprint: "se", mode: "shadow" } },
        seen: step,
        detours: 0,
        losses: [NaN, 1 / 3],
        norms: { host: Infinity, "seed/a/1": -Infinity },
        controlHistory: [1e-300],
        before: null,
      },
      unread: { waiting: [[NaN, 0.1]], later: [] },
      ledger: { spent: { host: 0.1 + 0.2, evaluation: 5e-324, incubation: 0 }, deferred: 0 },
      governor: { losses: [], gradients: [NaN], signs: [false, true], rollbacks: 0 },
      lifecycle: { note: "NaN stays the text it is" },
      controller: null,
    },
    layout: {
      groups: ["host", null],
      places: [{ name: "w", shape: [5], decay: true, group: "host", block: 0 }],
    },
    numbers,
  };
}

const checkpointAt = (step: number): Checkpoint => ({
  present: saved(step, [AWKWARD.slice(), Float32Array.of(step)]),
  blessed: saved(step - 1, [AWKWARD.slice(), Float32Array.of(step - 1)]),
});

const bits = (checkpoint: Checkpoint) =>
  [checkpoint.present, checkpoint.blessed].map(({ numbers }) =>
    numbers.map((n) => [...new Uint32Array(n.buffer)])
  );

const options = { config: CONFIG, logs: LOGS, keep: 2 };

Deno.test("readCheckpoint() gives back every bit, broken numbers included", async () => {
  const store = createMemoryStore(), written = checkpointAt(7);
  assertEquals(await writeCheckpoint(store, written, options), "step-000000007");
  const read = await readCheckpoint(store, CONFIG);
  assertEquals([read?.name, read?.logs], ["step-000000007", LOGS]);
  assertEquals(read!.checkpoint, written);
  assertEquals(bits(read!.checkpoint), bits(written));
});

Deno.test("readCheckpoint() finds none in an empty store", async () => {
  assertEquals(await readCheckpoint(createMemoryStore(), CONFIG), null);
});

Deno.test("readCheckpoint() takes the newest, also beyond a power of ten", async () => {
  const store = createMemoryStore();
  for (const step of [9, 10, 100]) await writeCheckpoint(store, checkpointAt(step), { ...options, keep: 3 });
  assertEquals((await readCheckpoint(store, CONFIG))?.checkpoint.present.state.progress.step, 100);
});

Deno.test("writeCheckpoint() keeps the newest and collects the blobs of the others", async () => {
  const medium = memoryMedium(), store = createStore(medium);
  for (const step of [10, 20, 30, 40]) await writeCheckpoint(store, checkpointAt(step), options);
  assertEquals(await store.listManifests("checkpoint"), ["step-000000030", "step-000000040"]);
  // One blob that all share, and the step numbers 29, 30, 39 and 40.
  assertEquals((await medium.list("blobs")).length, 5);
});

Deno.test("writeCheckpoint() at the step of another replaces it", async () => {
  const store = createMemoryStore();
  await writeCheckpoint(store, checkpointAt(5), options);
  const changed = { ...checkpointAt(5), blessed: saved(1, [AWKWARD.slice(), Float32Array.of(9)]) };
  await writeCheckpoint(store, changed, options);
  assertEquals(await store.listManifests("checkpoint"), ["step-000000005"]);
  assertEquals((await readCheckpoint(store, CONFIG))!.checkpoint, changed);
});

Deno.test("readCheckpoint() refuses a checkpoint of another configuration", async () => {
  const store = createMemoryStore();
  await writeCheckpoint(store, checkpointAt(5), options);
  const error = await assertRejects(
    async () => await readCheckpoint(store, await configHash({ name: "other" })),
    UserError,
  );
  assertEquals(
    error.message,
    "checkpoint step-000000005: was written under another configuration; restore the run's config.json",
  );
});

Deno.test("readCheckpoint() refuses a checkpoint of another version", async () => {
  const store = createMemoryStore();
  await store.writeManifest("checkpoint", "step-000000001", { version: 99 });
  await assertRejects(
    () => readCheckpoint(store, CONFIG),
    UserError,
    "checkpoint step-000000001: want version 1, got 99; use the Esper that wrote it",
  );
});

Deno.test("readCheckpoint() meets any flipped byte, of a blob or of the manifest, with one line", async () => {
  const medium = memoryMedium(), store = createStore(medium);
  await writeCheckpoint(store, checkpointAt(5), options);
  for (const path of [...await medium.list("blobs"), ...await medium.list("manifests")]) {
    const whole = (await medium.read(path))!;
    for (const at of [0, whole.length >> 1, whole.length - 1]) {
      const broken = whole.slice();
      broken[at] ^= 1;
      await medium.write(path, broken);
      const error = await assertRejects(() => readCheckpoint(store, CONFIG), UserError);
      assert(error.message.startsWith("urza: want ") && error.message.includes(path), error.message);
      assert(error.message.includes("the file is damaged, restore it or go back to an older"), error.message);
      assert(!error.message.includes("\n"), error.message);
    }
    await medium.write(path, whole);
  }
  assertEquals((await readCheckpoint(store, CONFIG))!.checkpoint, checkpointAt(5));
});

Deno.test("configHash() is that of the content, whatever the order of keys", async () => {
  assertEquals(await configHash({ a: 1, b: [2] }), await configHash({ b: [2], a: 1 }));
  assert(await configHash({ a: 1 }) !== await configHash({ a: 2 }));
});

Deno.test("weightsHash() minds names, shapes and bits, and nothing of where they lie", async () => {
  const hashOf = async (changes: { block?: number; shape?: number[]; value?: number; moment?: number }) => {
    const { block = 0, shape = [2, 3], value = 0, moment = 0 } = changes;
    const values = new Float32Array(192);
    values.set([1, 2, 3, 4, 5, value], block * 64);
    const { state } = saved(1, []);
    const layout = { groups: ["host"], places: [{ name: "w", shape, decay: true, group: "host", block }] };
    return await weightsHash({ state, layout, numbers: [values, Float32Array.of(moment)] });
  };
  const hash = await hashOf({});
  assertEquals(await hashOf({ block: 2, moment: 7 }), hash);
  for (const changes of [{ value: -0 }, { shape: [3, 2] }]) assert(await hashOf(changes) !== hash);
});

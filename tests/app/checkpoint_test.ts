import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { configHash, readCheckpoint, weightsHash, writeCheckpoint } from "../../src/app/checkpoint.ts";
import { ControllerConfig } from "../../src/contracts/control.ts";
import { STAGES } from "../../src/contracts/lifecycle.ts";
import { slotTable } from "../../src/kasmina/slot_table.ts";
import { createController } from "../../src/tamiyo/mod.ts";
import type { Checkpoint, SavedState } from "../../src/tolaria/mod.ts";
import { createMemoryStore } from "../../src/urza/mod.ts";
import { buildNetwork } from "../../src/app/network.ts";
import { checkFit } from "../../src/app/checkpoint_fit.ts";
import { createStore } from "../../src/urza/create.ts";
import type { Medium } from "../../src/urza/medium.ts";
import { memoryMedium } from "../../src/urza/memory.ts";
import { UserError } from "../../src/util/errors.ts";
import { trainerState } from "../support/checkpoints.ts";
import { tinyConfig } from "../support/session.ts";

const CONFIG = await configHash({ name: "test" });
const LOGS = { "events.jsonl": 12 };

/** Numbers that JSON and careless copies break: NaN with a payload, −0, infinities, a denormal. */
const AWKWARD = new Float32Array(Uint32Array.of(0x7fc00abc, 0x80000000, 0x7f800000, 0xff800000, 1).buffer);

/** A state as awkward as states may be: measurements that are not finite, a seed about to go, numbers at their ends. */
function saved(step: number, numbers: readonly Float32Array<ArrayBuffer>[]): SavedState {
  const state = trainerState(step, ["a"], { a: { seed: "a/1", blueprint: "se", mode: "shadow" } });
  const slots = slotTable(["a"]);
  slots.stage[0] = STAGES.indexOf("HOLDING");
  slots.blueprint[0] = "se";
  slots.doom[0] = { reason: "regression", evidence: { controlLoss: NaN, limit: null, failed: "#NaN" } };
  slots.gradNorm.note(0, NaN);
  slots.removalMean.set(0, -Infinity);
  const heuristic = createController(ControllerConfig.parse({ kind: "heuristic" }), 1);
  return {
    state: {
      ...state,
      progress: {
        ...state.progress,
        updates: { host: step },
        losses: [NaN, 1 / 3],
        norms: { host: Infinity, "seed/a/1": -Infinity },
        controlHistory: [1e-300],
        before: { step: 1, loss: Infinity, accuracy: 0 },
      },
      unread: { waiting: [[NaN, 0.1]], later: [] },
      ledger: { spent: { host: 0.1 + 0.2, evaluation: 5e-324, incubation: 0 }, deferred: 0 },
      governor: { losses: [], gradients: [NaN], signs: [false, true], rollbacks: 0 },
      lifecycle: slots.toJSON(),
      controller: heuristic.save(),
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
  assertEquals(await writeCheckpoint(store, written, options), { name: "step-000000007", uncollected: null });
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

for (
  const [version, cure] of [
    [1, "an older Esper wrote it, which can go on with it; this one must begin a new run"],
    [99, "use the Esper that wrote it"],
  ] as const
) {
  Deno.test(`readCheckpoint() refuses a checkpoint of version ${version}, and goes back to none older`, async () => {
    const store = createMemoryStore();
    await writeCheckpoint(store, checkpointAt(1), options);
    await store.writeManifest("checkpoint", "step-000000002", { version });
    await assertRejects(
      () => readCheckpoint(store, CONFIG),
      UserError,
      `checkpoint step-000000002: want version 3, got ${version}; ${cure}`,
    );
  });
}

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

/** Files of a store under one of its folders that mention, or are, what only `name` needs. */
async function filesOf(medium: Medium, name: string): Promise<string[]> {
  const text = async (path: string) => new TextDecoder().decode((await medium.read(path))!);
  const manifests = await medium.list("manifests");
  const own = manifests.find((path) => path.endsWith(`${name}.json`))!;
  const others = await Promise.all(manifests.filter((path) => path !== own).map(text));
  const mine = await text(own);
  const blobs = (await medium.list("blobs")).filter((path) => {
    const hash = path.split("/").at(-1)!;
    return mine.includes(hash) && !others.some((other) => other.includes(hash));
  });
  return [own, ...blobs];
}

/** Ways in which a file may be found after a power cut or a failing disk. */
const damages: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array | null>> = {
  "a flipped byte": (bytes) => bytes.map((byte, at) => at === bytes.length >> 1 ? byte ^ 1 : byte),
  "a cut file": (bytes) => bytes.slice(0, bytes.length >> 1),
  "an empty file": () => new Uint8Array(),
  "zeros": (bytes) => new Uint8Array(bytes.length),
  "a missing file": () => null,
};

Deno.test("readCheckpoint() goes back to an older one where the newest is damaged, and says which file and why", async () => {
  for (const [damage, change] of Object.entries(damages)) {
    const medium = memoryMedium(), store = createStore(medium);
    for (const step of [10, 20, 30]) {
      await writeCheckpoint(store, checkpointAt(step), { ...options, keep: 3 });
    }
    const files = await filesOf(medium, "step-000000030");
    assertEquals(files.length, 3, "a manifest and the numbers of 29 and 30; those of step 29 are its own");
    for (const path of files) {
      const whole = (await medium.read(path))!, broken = change(whole);
      // A manifest that is missing is a checkpoint that never was.
      if (broken === null && path.startsWith("manifests")) continue;
      if (broken === null) await medium.remove(path);
      else await medium.write(path, broken);
      const { name, checkpoint, damaged } = (await readCheckpoint(store, CONFIG))!;
      assertEquals([name, checkpoint], ["step-000000020", checkpointAt(20)], damage);
      assertEquals(damaged.length, 1);
      assert(
        damaged[0].includes(path) && /^urza: want [^\n]*(damaged|incomplete)[^\n]*$/.test(damaged[0]),
        damaged[0],
      );
      await medium.write(path, whole);
    }
  }
});

Deno.test("writeCheckpoint() keeps the one with the lowest control loss at the end of a tick, whatever else goes", async () => {
  const medium = memoryMedium(), store = createStore(medium);
  const at = (step: number, loss: number, stepInTick = 0) => {
    const checkpoint = checkpointAt(step), { progress } = checkpoint.present.state;
    Object.assign(progress, { stepInTick, controlHistory: [9, loss] });
    return checkpoint;
  };
  const bestStep = async () =>
    // deno-lint-ignore no-explicit-any
    (await store.readManifest("checkpoint", "best") as any).present.state.progress.step;
  const write = async (...given: Parameters<typeof at>) =>
    void await writeCheckpoint(store, at(...given), { ...options, keep: 1 });
  await write(10, NaN);
  assertEquals(
    await store.listManifests("checkpoint"),
    ["step-000000010"],
    "an unknown loss is not the best",
  );
  await write(20, 0.5);
  await write(30, 0.7);
  // The loss of a tick that has gone on since is that of other numbers.
  await write(40, 0.1, 1);
  assertEquals([await store.listManifests("checkpoint"), await bestStep()], [["best", "step-000000040"], 20]);
  await write(50, 0.4);
  assertEquals(await bestStep(), 50);
  await write(60, 0.6);
  // Where nothing newer is whole, a run goes on from the best.
  const [newest] = await filesOf(medium, "step-000000060");
  await medium.write(newest, new Uint8Array());
  assertEquals((await readCheckpoint(store, CONFIG))!.checkpoint, at(50, 0.4));
  // A best one that is damaged is no obstacle to the next.
  await medium.write("manifests/checkpoint/best.json", new Uint8Array());
  await write(55, 0.8);
  assertEquals([await store.listManifests("checkpoint"), await bestStep()], [["best", "step-000000055"], 55]);
});

Deno.test("writeCheckpoint() takes checkpoints of steps beyond it away: that past was taken back", async () => {
  const medium = memoryMedium(), store = createStore(medium);
  for (const step of [10, 20, 30]) await writeCheckpoint(store, checkpointAt(step), options);
  await medium.write("manifests/checkpoint/step-000000030.json", new Uint8Array());
  assertEquals((await readCheckpoint(store, CONFIG))!.name, "step-000000020");
  assertEquals((await writeCheckpoint(store, checkpointAt(25), { ...options, keep: 1 })).uncollected, null);
  assertEquals((await store.listManifests("checkpoint")).filter((name) => name !== "best"), [
    "step-000000025",
  ]);
  assertEquals((await readCheckpoint(store, CONFIG))!.name, "step-000000025");
});

Deno.test("writeCheckpoint() beside an older one that is damaged removes no blob, says so, and is written", async () => {
  const medium = memoryMedium(), store = createStore(medium);
  for (const step of [10, 20]) await writeCheckpoint(store, checkpointAt(step), options);
  const blobs = await medium.list("blobs");
  await medium.write("manifests/checkpoint/step-000000020.json", new Uint8Array(3));
  const { uncollected } = await writeCheckpoint(store, checkpointAt(30), options);
  assert(uncollected!.includes("step-000000020.json"), uncollected!);
  assertEquals((await medium.list("blobs")).filter((path) => blobs.includes(path)), blobs);
  assertEquals((await readCheckpoint(store, CONFIG))!.checkpoint, checkpointAt(30));
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

/** A JSON value with one place of it replaced; undefined removes it. */
function changed(value: unknown, [key, ...rest]: readonly string[], put: unknown): unknown {
  if (key === undefined) return put;
  const copy = (Array.isArray(value) ? [...value] : { ...value as object }) as Record<string, unknown>;
  copy[key] = changed(copy[key], rest, put);
  return copy;
}

Deno.test("readCheckpoint() refuses a state that lacks a part, has one too many, or is out of bounds, and names the place", async () => {
  const medium = memoryMedium(), store = createStore(medium);
  await writeCheckpoint(store, checkpointAt(5), options);
  const whole = await store.readManifest("checkpoint", "step-000000005");
  const keysOf = (path: string) => {
    const at = path.split(".").reduce(
      (value, key) => (value as Record<string, unknown>)[key],
      whole as unknown,
    );
    return Object.keys(at as object).map((key) => `${path}.${key}`);
  };
  const state = "present.state";
  const required = [
    ...["controlLoss", "logs", "blessed", `${state}.ledger.spent.host`, `${state}.controller.kind`],
    ...keysOf(state),
    ...["progress", "unread", "ledger", "governor", "lifecycle"].flatMap((part) =>
      keysOf(`${state}.${part}`)
    ),
    ...["columns", "health", "times"].flatMap((part) => keysOf(`${state}.lifecycle.${part}`)),
  ];
  assert(required.length > 60);
  const damages: [string, unknown][] = [
    ...required.map((path): [string, unknown] => [path, undefined]),
    ["stray", 1],
    [`${state}.progress.stray`, 1],
    [`${state}.lifecycle.columns.stray`, [1]],
    [`${state}.progress.step`, -1],
    [`${state}.progress.losses.0`, "NaN"],
    [`${state}.progress.norms.host`, null],
    [`${state}.progress.running.b`, { seed: "b/1", blueprint: "se", mode: "blend" }],
    [`${state}.progress.running.a.seed`, "b/1"],
    [`${state}.unread.waiting.0.0`, "#nan"],
    [`${state}.ledger.spent.host`, "#NaN"],
    [`${state}.ledger.spent.stray`, 1],
    [`${state}.governor.signs.0`, 1],
    [`${state}.governor.rollbacks`, 0.5],
    [`${state}.lifecycle.columns.stage.0`, 9],
    [`${state}.lifecycle.columns.alpha.0`, 1.5],
    [`${state}.lifecycle.columns.age`, [1, 2]],
    [`${state}.lifecycle.health.hMean.0`, new Array(9).fill(0)],
    [`${state}.lifecycle.doom.0.reason`, "whim"],
    [`${state}.controller.kind`, "oracle"],
    [`${state}.controller.ledger.live`, { a: {} }],
    ["blessed.state.progress.tick", "2"],
    ["blessed.numbers", []],
  ];
  for (const [path, put] of damages) {
    const damaged = JSON.parse(JSON.stringify(changed(whole, path.split("."), put)));
    await store.writeManifest("checkpoint", "step-000000005", damaged);
    const { message } = await assertRejects(() => readCheckpoint(store, CONFIG), UserError, undefined, path);
    const place = path.replace(/[.](stray|host|b|seed)$/, "");
    assert(message.startsWith("checkpoint step-000000005: "), message);
    assert(path === "stray" || message.includes(place), `${path}: ${message}`);
  }
});

Deno.test("a checkpoint of another network, or with fewer numbers than the store, is refused", () => {
  const config = tinyConfig("points"), network = buildNetwork(config, [2], 3);
  const running = { layer1: { seed: "layer1/1", blueprint: "affine", mode: "blend" as const } };
  const state = trainerState(5, ["layer1", "layer2"], running);
  const places = network.parametersOf(running).map(({ name, shape }, block) => ({
    ...{ name, shape, block },
    decay: true,
    group: "host",
  }));
  const store = { count: 1024, buffers: [{}, {}, {}] as never };
  const numbers = [0, 1, 2].map(() => new Float32Array(1024));
  const fits = (changes: Partial<SavedState>) => {
    const saved = { state, layout: { groups: ["host"], places }, numbers, ...changes };
    const whole = { state, layout: { groups: ["host"], places }, numbers };
    for (const checkpoint of [{ present: saved, blessed: whole }, { present: whole, blessed: saved }]) {
      checkFit({ checkpoint, name: "step-000000005" }, network, store);
    }
  };
  fits({});
  const said = (changes: Partial<SavedState>) => assertThrows(() => fits(changes), UserError).message;
  const without = places.filter(({ name }) => name !== "seed/layer1/1/gamma");
  assertEquals(
    said({ layout: { groups: ["host"], places: without } }),
    "checkpoint step-000000005: want parameter seed/layer1/1/gamma of shape [8], got none; " +
      "restore it or go back to an older one",
  );
  const narrow = places.map((place) => place.name === "layer2/weight" ? { ...place, shape: [8, 4] } : place);
  assert(said({ layout: { groups: ["host"], places: narrow } }).includes("of shape [8, 8], got [8, 4];"));
  assert(
    said({ numbers: numbers.slice(1) }).includes(
      "want 3 blobs of parameters and what belongs to them, got 2",
    ),
  );
  assert(
    said({ numbers: [...numbers.slice(1), new Float32Array(64)] }).includes(
      "want 1024 numbers in each blob, got 64",
    ),
  );
});

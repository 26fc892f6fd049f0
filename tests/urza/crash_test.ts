/** What was acknowledged outlives a crash in the place of every single thing a store does to its disk. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { fileMedium } from "../../src/urza/adapters/files.ts";
import type { Disk } from "../../src/urza/adapters/disk.ts";
import { createStore } from "../../src/urza/create.ts";
import { verifyStore } from "../../src/urza/inspect.ts";
import { mentionsIn } from "../../src/urza/paths.ts";
import { PIN_MS } from "../../src/urza/pins.ts";
import type { RecordState, Store } from "../../src/urza/store.ts";
import type { Json } from "../../src/util/json.ts";
import { Crash, CrashDisk } from "../support/crash_disk.ts";

const CONTENTS = ["a", "bb", "cc and more", ""].map((text) => new TextEncoder().encode(text));
const NAMES = ["x", "y"];
const RECORD = "a".repeat(64);

/** One thing a program asks of its store. A checkpoint is puts and a manifest. */
type Command =
  | { do: "checkpoint"; name: string; contents: number[] }
  | { do: "put"; content: number }
  | { do: "remove"; name: string }
  | { do: "record" }
  | { do: "collect" };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("checkpoint" as const),
      name: fc.constantFrom(...NAMES),
      contents: fc.array(fc.nat(CONTENTS.length - 1), { minLength: 1, maxLength: 2 }),
    }),
  },
  fc.record({ do: fc.constant("put" as const), content: fc.nat(CONTENTS.length - 1) }),
  fc.record({ do: fc.constant("remove" as const), name: fc.constantFrom(...NAMES) }),
  fc.record({ do: fc.constant("record" as const) }),
  fc.record({ do: fc.constant("collect" as const) }),
);

/** What a program has been told is done, and what may or may not be, as it was under way. */
class Told {
  readonly manifests = new Map<string, Json>();
  readonly put = new Set<string>();
  record: RecordState | null = null;
  underWay: { name: string; value: Json | null } | { record: RecordState } | null = null;
}

const NEXT: Record<string, RecordState | undefined> = {
  null: "UNVALIDATED",
  UNVALIDATED: "COMPILING",
  COMPILING: "VALIDATED",
  VALIDATED: "DEPLOYED",
  DEPLOYED: "RETIRED",
};

async function advance({ records }: Store, told: Told): Promise<void> {
  const to = NEXT[`${told.record}`];
  if (to === undefined) return;
  told.underWay = { record: to };
  if (to === "UNVALIDATED") await records.register("kernel", RECORD, { name: "k" });
  else if (to === "COMPILING") await records.claim("kernel", RECORD, "w", 1000);
  else if (to === "VALIDATED") await records.settle("kernel", RECORD, "w", to, null);
  else await records.move("kernel", RECORD, to as "DEPLOYED" | "RETIRED", "test");
  told.record = to;
}

async function perform(store: Store, command: Command, told: Told): Promise<void> {
  if (command.do === "put") told.put.add(await store.put(CONTENTS[command.content]));
  if (command.do === "record") await advance(store, told);
  if (command.do === "remove") {
    told.underWay = { name: command.name, value: null };
    await store.removeManifest("checkpoint", command.name);
    told.manifests.delete(command.name);
  }
  if (command.do === "checkpoint") {
    const blobs: string[] = [];
    for (const content of command.contents) {
      blobs.push(await store.put(CONTENTS[content]));
      told.put.add(blobs.at(-1)!);
    }
    told.underWay = { name: command.name, value: { blobs } };
    await store.writeManifest("checkpoint", command.name, { blobs });
    told.manifests.set(command.name, { blobs });
  }
  if (command.do === "collect") {
    await store.collect();
    // From now on only what is mentioned must be there.
    told.put.clear();
  }
  told.underWay = null;
}

/** Runs the program until it ends or crashes. */
async function execute(disk: Disk, program: readonly Command[], told: Told): Promise<void> {
  const store = createStore(fileMedium("/runs/store", disk), () => 1000);
  try {
    for (const command of program) {
      // A collection that was begun may have taken what nothing mentions.
      if (command.do === "collect") told.put.clear();
      await perform(store, command, told);
    }
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
}

/** What was told is there, all that is there is whole, and the store works. */
async function inspect(disk: Disk, told: Told, place: string): Promise<void> {
  const medium = fileMedium("/runs/store", disk), later = () => 1001 + PIN_MS;
  const store = createStore(medium, later);
  const { underWay } = told;
  const references = (_: string, value: Json) => mentionsIn(JSON.stringify(value));
  assertEquals((await verifyStore(medium, null, { references, repair: false })).faults, [], place);
  for (const hash of told.put) await store.get(hash);
  const names = await store.listManifests("checkpoint");
  for (const name of new Set([...names, ...told.manifests.keys()])) {
    const value = names.includes(name) ? await store.readManifest("checkpoint", name) : null;
    const maybe = underWay && "name" in underWay && underWay.name === name ? [underWay.value] : [];
    const may = [told.manifests.get(name) ?? null, ...maybe].map((value) => JSON.stringify(value));
    assert(may.includes(JSON.stringify(value)), `${place}: ${name} is ${JSON.stringify(value)}, want ${may}`);
  }
  const [record] = await store.records.list("kernel");
  const states = [told.record, ...underWay && "record" in underWay ? [underWay.record] : []];
  assert(states.includes(record?.state ?? null), `${place}: ${record?.state}, want ${states}`);
  // The store goes on, and nothing but garbage goes.
  await store.collect();
  const mentioned: string[] = [];
  for (const name of names) {
    mentioned.push(...references("", await store.readManifest("checkpoint", name)));
  }
  for (const hash of mentioned) await store.get(hash);
  assertEquals((await medium.list("blobs")).length, new Set(mentioned).size, place);
  const hash = await store.put(CONTENTS[1]);
  await store.writeManifest("checkpoint", "after", { hash });
  assertEquals(await store.get(hash), CONTENTS[1]);
  if (record?.state === "UNVALIDATED" || record?.state === "COMPILING") {
    assertEquals((await store.records.claim("kernel", RECORD, "heir", 1000)).lease?.owner, "heir", place);
  }
}

/** Numbers that look random, the same ones for the same seed. */
function drawer(seed: number): (choices: number) => number {
  let state = seed;
  return (choices) => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return ((state ^ state >>> 13) >>> 0) % choices;
  };
}

/** Crashes the program in the place of every step, by a kill and by power cuts with other losses each. */
async function crashEverywhere(
  program: readonly Command[],
  powerCuts: number,
  seed: number,
): Promise<number> {
  const dry = new CrashDisk().process(Infinity);
  await execute(dry, program, new Told());
  for (let step = 0; step <= dry.taken(); step++) {
    for (let cut = 0; cut <= powerCuts; cut++) {
      const disk = new CrashDisk(), told = new Told();
      await execute(disk.process(step), program, told);
      if (cut === 0) disk.restart();
      else disk.cutPower(drawer(seed + 1000 * step + cut));
      const place = `${cut === 0 ? "killed" : "power cut"} at step ${step}`;
      await inspect(disk.process(Infinity), told, place);
    }
  }
  return dry.taken();
}

Deno.test("createFileStore() loses nothing it has acknowledged, whichever of its steps a kill or power cut takes the place of", async () => {
  const steps = await crashEverywhere(
    [
      { do: "checkpoint", name: "x", contents: [0, 1] },
      { do: "record" },
      { do: "checkpoint", name: "y", contents: [1, 2] },
      { do: "record" },
      { do: "remove", name: "x" },
      { do: "collect" },
      { do: "checkpoint", name: "y", contents: [3] },
      { do: "put", content: 0 },
      { do: "record" },
      { do: "collect" },
    ],
    4,
    1,
  );
  assert(steps > 100, `${steps} steps`);
});

Deno.test("createFileStore() loses nothing it has acknowledged, whatever the program", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(command, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      async (program, seed) => void await crashEverywhere(program, 2, seed),
    ),
    { numRuns: 12, endOnFailure: true },
  ));

Deno.test("createFileStore() a process that is killed takes nothing from another that goes on", async () => {
  const program: Command[] = [
    { do: "checkpoint", name: "x", contents: [0, 1] },
    { do: "collect" },
    { do: "checkpoint", name: "x", contents: [2] },
    { do: "collect" },
  ];
  const other: Command[] = program.map((c) => c.do === "checkpoint" ? { ...c, name: "y" } : c);
  const dry = new CrashDisk().process(Infinity);
  await execute(dry, program, new Told());
  for (let step = 0; step < dry.taken(); step += 3) {
    const disk = new CrashDisk(), killed = new Told(), survivor = new Told();
    const first = disk.process(step), second = disk.process(Infinity);
    await Promise.all([execute(first, program, killed), execute(second, other, survivor)]);
    assertEquals(survivor.manifests.get("y") !== undefined, true);
    const medium = fileMedium("/runs/store", disk.process(Infinity));
    const references = (_: string, value: Json) => mentionsIn(JSON.stringify(value));
    const { faults } = await verifyStore(medium, null, { references, repair: false });
    assertEquals(faults, [], `step ${step}`);
    const store = createStore(medium, () => 1000);
    for (const [name, value] of [...killed.manifests, ...survivor.manifests]) {
      if (killed.underWay && "name" in killed.underWay && killed.underWay.name === name) continue;
      assertEquals(await store.readManifest("checkpoint", name), value);
    }
  }
});

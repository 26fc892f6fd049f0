/** Runs are functions of seed, configuration and adapter: also across an interruption at any step. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { RunFolder } from "../../src/app/adapters/run_folder.ts";
import type { RunConfig } from "../../src/contracts/config.ts";
import type { Edge } from "../../src/contracts/lifecycle.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import type { SlotRecord } from "../../src/kasmina/mod.ts";
import type { Trainer } from "../../src/tolaria/mod.ts";
import { openShared } from "../support/devices.ts";
import { NEVER, openSession, signalWhen, tinyConfig } from "../support/session.ts";
import { bitsOf } from "../support/store.ts";
import { testRandom } from "../support/values.ts";

/** Two seeds: one that becomes a fossil, one that is pruned out of HOLDING, its slot sown again. */
function eventful(changes: Record<string, unknown> = {}): RunConfig {
  return tinyConfig("points", {
    train: { maxSteps: 78 },
    controller: {
      kind: "fixed",
      schedule: [
        { tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" },
        { tick: 2, action: "germinate", slot: "layer1", blueprint: "affine" },
        { tick: 4, action: "advance", slot: "layer2" },
        { tick: 5, action: "advance", slot: "layer1" },
        { tick: 8, action: "fossilize", slot: "layer2" },
        { tick: 10, action: "prune", slot: "layer1" },
        { tick: 15, action: "germinate", slot: "layer1", blueprint: "mlp" },
      ],
    },
    ...changes,
  });
}

/** All that a run leaves behind. */
async function outcome({ progress, ledger, governor, parts }: Trainer, edges: readonly Edge[]) {
  // Which runs of one seed may differ in is what the clock on the wall says.
  const { times: _, ...lifecycle } = parts.lifecycle.toJSON() as SlotRecord;
  return structuredClone({
    bits: await bitsOf(parts.store),
    progress,
    ledger: ledger.save(),
    governor: governor.save(),
    lifecycle,
    controller: parts.controller.save(),
    // What the log adds to an edge is when it was written.
    edges: edges.map(({ tick, step, slot, seed, blueprint, from, to, reason, evidence }) => ({
      ...{ tick, step, slot, seed, blueprint, from, to, reason, evidence },
    })),
  });
}
type Outcome = Awaited<ReturnType<typeof outcome>>;

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Trains in `folder` up to a step, or to the end; goes on from its newest checkpoint if it has one. */
async function trainTo(gpu: Gpu, config: RunConfig, folder: string, step = Infinity): Promise<Outcome> {
  const session = await openSession(gpu, config, folder);
  try {
    await session.start(true);
    const { trainer } = session;
    await trainer.run(step === Infinity ? NEVER : signalWhen(() => trainer.progress.step >= step));
    if (trainer.finished) await trainer.save();
    await session.bus.drain();
    return await outcome(trainer, session.journal.edges);
  } finally {
    await session.destroy();
  }
}

/** The same run with an interruption at each of these steps. */
function interrupted(gpu: Gpu, config: RunConfig, stops: readonly number[]): Promise<Outcome> {
  return inFolder(async (folder) => {
    for (const stop of stops) await trainTo(gpu, config, folder, stop);
    return await trainTo(gpu, config, folder);
  });
}

let reference: Promise<Outcome> | undefined;
/** The eventful run without an interruption. */
function uninterrupted(gpu: Gpu): Promise<Outcome> {
  return reference ??= interrupted(gpu, eventful(), []);
}

Deno.test("the eventful run sows three seeds, keeps one, prunes one", async () => {
  const { edges } = await uninterrupted((await openShared("native"))!);
  const lives = Map.groupBy(edges, ({ seed }) => seed);
  const stages = (seed: string) => lives.get(seed)!.map(({ to }) => to).join(" ");
  assertEquals([...lives.keys()].sort(), ["layer1/1", "layer1/2", "layer2/1"]);
  assertEquals(stages("layer2/1"), "GERMINATED TRAINING BLENDING HOLDING FOSSILIZED");
  assert(stages("layer1/1").startsWith("GERMINATED TRAINING BLENDING"), stages("layer1/1"));
  assert(stages("layer1/1").endsWith("PRUNED EMBARGOED RESETTING DORMANT"), stages("layer1/1"));
});

Deno.test("two runs of one seed are the same to the last bit, and another seed is another run", async () => {
  const gpu = (await openShared("native"))!;
  const first = await uninterrupted(gpu);
  assertEquals(await interrupted(gpu, eventful(), []), first);
  const other = await interrupted(gpu, eventful({ seed: 2 }), []);
  assertNotEquals(other.bits["layer1/weight"], first.bits["layer1/weight"]);
});

/** A tick is four steps, metrics are read every three, and shadow passes run on even steps. */
const moments: readonly (readonly [string, number])[] = [
  ["before the first step", 0],
  ["within the first window of metrics", 2],
  ["with rows on their way", 3],
  ["while the first seed compiles", 5],
  ["and again, two steps later", 7],
  ["between a shadow pass and the end of its tick", 15],
  ["in a ramp", 22],
  ["while a fossil compiles", 33],
  ["while a seed fades", 43],
  ["at the end of a tick", 48],
  ["in an embargo", 51],
  ["two steps before the end", 76],
];

Deno.test("lesson 31, checkpoints without what makes a run unique: a run interrupted at twelve awkward moments ends with the same bits, ledger and edges", async () => {
  const gpu = (await openShared("native"))!;
  const want = await uninterrupted(gpu);
  assertEquals(await interrupted(gpu, eventful(), moments.map(([, step]) => step)), want);
});

Deno.test("a run interrupted at many random steps ends with the same bits, ledger and edges", async () => {
  const gpu = (await openShared("native"))!;
  const seed = String(Date.now()), random = testRandom(seed);
  const stops = Array.from({ length: 77 }, (_, k) => k + 1).filter(() => random() < 0.1);
  console.log(`interrupted at steps ${stops.join(", ")}`);
  assertEquals(await interrupted(gpu, eventful(), stops), await uninterrupted(gpu));
});

Deno.test("a run on images, augmented and with batch norm, ends with the same bits after an interruption", async () => {
  const gpu = (await openShared("native"))!;
  const config = tinyConfig("images", {
    train: { maxSteps: 30, optimizer: { kind: "sgd" }, learningRate: { warmup: 1e-9, final: 0 } },
    host: { norm: "batch" },
    growth: { gates: { trainingLimit: 3 } },
    controller: { kind: "random", germinate: 0.9 },
  });
  const straight = await interrupted(gpu, config, []);
  assert(straight.edges.length > 0);
  assertEquals(await interrupted(gpu, config, [9, 18]), straight);
});

Deno.test("a run in mixed precision ends with the same bits after interruptions, loss scale and skipped updates too", async () => {
  const gpu = (await openShared("native"))!;
  const config = tinyConfig("images", {
    train: { maxSteps: 30 },
    controller: { kind: "random", germinate: 0.9 },
    engine: { precision: "mixed", lossScale: { initial: 2 ** 24, growthSteps: 7 } },
  });
  const straight = await interrupted(gpu, config, []);
  assert(straight.edges.length > 0);
  const [scale, , skipped] = new Float32Array(Uint32Array.from(straight.bits["loss scale"][0]).buffer);
  assert(scale < 2 ** 24 && skipped > 0, `scale ${scale}, ${skipped} skipped`);
  assertEquals(await interrupted(gpu, config, [2, 9, 18]), straight);
});

Deno.test("a longer limit of steps goes on where a finished run ended", async () => {
  const gpu = (await openShared("native"))!;
  const short = (maxSteps: number) => tinyConfig("points", { train: { maxSteps } });
  const straight = await interrupted(gpu, short(22), []);
  const longer = await inFolder(async (folder) => {
    await trainTo(gpu, short(11), folder);
    return await trainTo(gpu, short(22), folder);
  });
  assertEquals(longer, straight);
});

Deno.test("RunFolder keeps the logs of an interrupted run free of doubles", async () => {
  const gpu = (await openShared("native"))!;
  await inFolder(async (path) => {
    const config = eventful();
    await trainTo(gpu, config, path, 30);
    const lines = (await Deno.readTextFile(`${path}/events.jsonl`)).split("\n");
    const kept = lines.slice(0, lines.findIndex((line) => line.includes("checkpoint.saved"))).join("\n");
    // What a killed process wrote after its last checkpoint.
    await Deno.writeTextFile(`${path}/events.jsonl`, '{"topic":"seed.edge","seed":"ghost/1"}\n{"to', {
      append: true,
    });
    await trainTo(gpu, config, path);
    const text = await Deno.readTextFile(`${path}/events.jsonl`);
    assert(text.startsWith(kept) && !text.includes("ghost"));
    const folder = RunFolder.open(path);
    assertEquals(folder.edges().length, (await uninterrupted(gpu)).edges.length);
    folder.close();
  });
});

/** What growth may and may not do to a host, on tiny runs. */
import { assert, assertEquals } from "@std/assert";
import type { RunConfig } from "../../src/contracts/config.ts";
import type { ScheduleEntry } from "../../src/contracts/control.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { cnn, mlp } from "../../src/engine/nn/hosts.ts";
import { Optimizer } from "../../src/engine/optim/optimizer.ts";
import { ParameterStore } from "../../src/engine/optim/parameter_store.ts";
import { Assembler, type Assembly } from "../../src/tolaria/assembly.ts";
import { onEachDevice, openShared } from "../support/devices.ts";
import {
  edgesOf,
  NEVER,
  type OpenSession,
  openSession,
  signalWhen,
  tinyConfig,
  type TinyKind,
} from "../support/session.ts";
import { bitsOf } from "../support/store.ts";

const SLOTS: Readonly<Record<TinyKind, readonly [string, string]>> = {
  points: ["layer1", "layer2"],
  images: ["block1", "block2"],
};
const BLUEPRINT: Readonly<Record<TinyKind, string>> = { points: "mlp", images: "conv3" };

function scheduled(kind: TinyKind, schedule: readonly ScheduleEntry[], changes: object = {}): RunConfig {
  return tinyConfig(kind, { controller: { kind: "fixed", schedule }, ...changes });
}

/** Trains `steps` steps, hands the session to `look`, and destroys it. */
async function trained<T>(
  gpu: Gpu,
  config: RunConfig,
  steps: number,
  look: (session: OpenSession) => Promise<T> | T,
): Promise<T> {
  const session = await openSession(gpu, config);
  try {
    await session.start(false);
    await session.trainer.run(signalWhen(() => session.trainer.progress.step === steps));
    await session.bus.drain();
    return await look(session);
  } finally {
    await session.destroy();
  }
}

/** Enough for both seeds to have trained for two ticks. */
const STEPS = 20;

const isHost = (name: string) => !name.startsWith("seed/");

/** Bits of values and moments of the host, by parameter. */
async function hostBits({ trainer }: OpenSession): Promise<Record<string, number[][]>> {
  const bits = await bitsOf(trainer.parts.store);
  // The loss scale of what trains beside the host stands behind the host's own.
  if (bits["loss scale"]) bits["loss scale"] = bits["loss scale"].map((numbers) => numbers.slice(0, 64));
  return Object.fromEntries(Object.entries(bits).filter(([name]) => isHost(name)));
}

/** Mean losses of training as they were published. */
function losses({ events }: OpenSession): (readonly [number, number])[] {
  return events.flatMap((event) =>
    event.topic === "step.metrics" ? [[event.payload.step, event.payload.loss] as const] : []
  );
}

/** A host alone and beside two seeds that train in the shadow, one born a tick after the other. */
async function trainBesideSeeds(gpu: Gpu, kind: TinyKind, changes: object = {}): Promise<void> {
  const alone = await trained(gpu, tinyConfig(kind, changes), STEPS, async (session) => ({
    bits: await hostBits(session),
    losses: losses(session),
  }));
  const blueprint = BLUEPRINT[kind], [first, second] = SLOTS[kind];
  const config = scheduled(kind, [
    { tick: 1, action: "germinate", slot: first, blueprint },
    { tick: 2, action: "germinate", slot: second, blueprint },
  ], changes);
  await trained(gpu, config, STEPS, async (session) => {
    const { lifecycle, store } = session.trainer.parts;
    for (const slot of SLOTS[kind]) {
      assertEquals(lifecycle.stageOf(slot), "TRAINING");
      assert((await store.get(`seed/${slot}/1/gamma`)).every((value) => value !== 0), "the seed learned");
    }
    assert(session.trainer.ledger.save().spent.incubation > 0);
    assertEquals(await hostBits(session), alone.bits);
    assertEquals(losses(session), alone.losses);
  });
}

onEachDevice("a dense host trains to the same bits beside seeds in TRAINING", async (gpu) => {
  await trainBesideSeeds(gpu, "points");
});

Deno.test("a host trains to the same bits beside seeds in TRAINING while the learning rate falls with FLOPs spent", async () => {
  await trainBesideSeeds((await openShared("native"))!, "points", {
    train: { budgetGflop: 0.004, learningRate: { peak: 0.02, warmup: 0.1, final: 0 } },
  });
});

for (const norm of ["group", "batch"]) {
  Deno.test(`a convolutional host with ${norm} norm trains to the same bits beside seeds in TRAINING`, async () => {
    await trainBesideSeeds((await openShared("native"))!, "images", { host: { norm } });
  });
}

Deno.test("a convolutional host trains to the same bits beside seeds in TRAINING in mixed precision", async () => {
  await trainBesideSeeds((await openShared("native"))!, "images", { engine: { precision: "mixed" } });
});

for (const kind of ["points", "images"] as const) {
  Deno.test(`an empty slot adds no dispatch to the programs of a run on ${kind}`, async () => {
    const gpu = (await openShared("native"))!;
    const config = tinyConfig(kind);
    const session = await openSession(gpu, config);
    await session.start(false);
    const { parts, assembly } = session.trainer;
    const shape = [...parts.examples.shape], { classes } = parts.model;
    const plain = kind === "points" ? mlp(shape, classes, [8, 8]) : cnn(shape, classes, [4, 8]);
    const store = new ParameterStore(gpu, session.network.capacity, 2);
    const optimizer = new Optimizer(gpu, store, config.train.optimizer as never, { norms: true });
    const assembler = new Assembler({
      ...parts,
      config,
      store,
      optimizer,
      model: {
        classes,
        slots: [],
        trace: (scope, x) => ({
          logits: plain.forward(scope, x),
          stopAt: [],
          taps: new Map(),
          seeds: new Map(),
        }),
        groupOf: () => "host",
      },
    });
    const alone = await assembler.get({});
    const names = ({ train, evaluate }: Assembly) =>
      [train, evaluate].map(({ dispatches }) => dispatches.map(({ name }) => name));
    assertEquals(names(assembly), names(alone));
    assertEquals(assembly.train.program.flops, alone.train.program.flops);
    assertEquals([assembly.shadow, assembly.trials], [null, {}]);
    await assembler.destroy();
    optimizer.destroy();
    store.destroy();
    await session.destroy();
    assertEquals(gpu.allocator.liveBytes, 0);
  });
}

/** Sown at tick 1, blended in, and made to stay as soon as the gates allow. */
function wholeLife(slot: string, blueprint: string): ScheduleEntry[] {
  return [
    { tick: 1, action: "germinate", slot, blueprint },
    { tick: 4, action: "advance", slot },
    { tick: 8, action: "fossilize", slot },
  ];
}

for (const kind of ["points", "images"] as const) {
  Deno.test(`a seed of a run on ${kind} lives from DORMANT to FOSSILIZED, and its weights join the host's`, async () => {
    const gpu = (await openShared("native"))!;
    const slot = SLOTS[kind][kind === "points" ? 1 : 0], blueprint = BLUEPRINT[kind];
    const session = await openSession(gpu, scheduled(kind, wholeLife(slot, blueprint)));
    const { trainer, network } = session;
    const { store, lifecycle } = trainer.parts;
    await session.start(false);
    const before = store.names;

    await trainer.run(signalWhen(() => lifecycle.stageOf(slot) === "HOLDING"));
    const seeds = store.names.filter((name) => !isHost(name));
    assertEquals(store.inGroup(`seed/${slot}/1`), seeds);
    assertEquals(trainer.assembly.topology, { [slot]: { seed: `${slot}/1`, blueprint, mode: "blend" } });

    assertEquals(await trainer.run(NEVER), "completed");
    await session.bus.drain();
    assertEquals(edgesOf(session).map(({ from, to, reason }) => `${from} ${to} ${reason}`), [
      "DORMANT GERMINATED action",
      "GERMINATED TRAINING compiled",
      "TRAINING BLENDING action",
      "BLENDING HOLDING blended",
      "HOLDING FOSSILIZED action",
    ]);
    for (const edge of edgesOf(session)) {
      assertEquals([edge.slot, edge.seed, edge.blueprint], [slot, `${slot}/1`, blueprint]);
      assertEquals(edge.step, 4 * edge.tick);
      assert(Object.keys(edge.evidence).length > 0, `${edge.from} → ${edge.to} rests on nothing`);
    }
    assertEquals(store.names, [...before, ...seeds]);
    assertEquals(store.inGroup(`seed/${slot}/1`), []);
    const joined = store.inGroup(`host/${slot}`);
    for (const name of seeds) assert(joined.includes(name), `${name} is in another group`);
    assertEquals(trainer.assembly.topology[slot].mode, "fossil");
    const grown = network.sizeWith(trainer.assembly.topology);
    assertEquals(grown.params - network.host.params, network.paramsOf(blueprint, slot));
    assert(trainer.progress.before !== null && trainer.progress.before.step === 4);
    await session.destroy();
    assertEquals(gpu.allocator.liveBytes, 0);
  });
}

for (const incubation of ["none", "ste"] as const) {
  Deno.test(`a seed incubated by ${incubation} lives to be a fossil`, async () => {
    const gpu = (await openShared("native"))!;
    const config = scheduled("points", wholeLife("layer2", "mlp"), { growth: { incubation } });
    await trained(gpu, config, config.train.maxSteps!, (session) => {
      const fates = edgesOf(session).map(({ to }) => to);
      assertEquals(fates, ["GERMINATED", "TRAINING", "BLENDING", "HOLDING", "FOSSILIZED"]);
      assertEquals(session.trainer.assembly.shadow, null);
    });
  });
}

Deno.test("a seed pruned in TRAINING returns its memory, and the slot rests and is free again", async () => {
  const gpu = (await openShared("native"))!;
  const slot = "layer1";
  const config = scheduled("points", [
    { tick: 1, action: "germinate", slot, blueprint: "mlp" },
    { tick: 3, action: "prune", slot },
    { tick: 8, action: "germinate", slot, blueprint: "affine" },
  ]);
  const session = await openSession(gpu, config);
  const { trainer } = session, { store } = trainer.parts;
  await session.start(false);
  const before = { names: store.names, groups: store.groups.filter((group) => group !== null) };
  const bytes = gpu.allocator.liveBytes;
  await trainer.run(signalWhen(() => trainer.progress.tick === 7));
  await session.bus.drain();
  assertEquals(edgesOf(session).map(({ to, reason }) => `${to} ${reason}`), [
    "GERMINATED action",
    "TRAINING compiled",
    "PRUNED action",
    "EMBARGOED released",
    "RESETTING elapsed",
    "DORMANT elapsed",
  ]);
  assertEquals({ names: store.names, groups: store.groups.filter((group) => group !== null) }, before);
  assertEquals(gpu.allocator.liveBytes, bytes);
  await trainer.run(signalWhen(() => trainer.progress.tick === 10));
  assertEquals([trainer.parts.lifecycle.seedOf(slot), trainer.parts.lifecycle.stageOf(slot)], [
    "layer1/2",
    "TRAINING",
  ]);
  await session.destroy();
  assertEquals(gpu.allocator.liveBytes, 0);
});

Deno.test("a blended seed that is pruned fades with frozen weights and leaves", async () => {
  const gpu = (await openShared("native"))!;
  const slot = "layer2";
  const config = scheduled("points", [
    ...wholeLife(slot, "mlp").slice(0, 2),
    { tick: 8, action: "prune", slot },
  ], { growth: { gates: { holdingLimit: 20 } } });
  const session = await openSession(gpu, config);
  const { trainer } = session, { lifecycle, store } = trainer.parts;
  const seedBits = async () => {
    const bits = await bitsOf(store);
    return Object.fromEntries(Object.entries(bits).filter(([name]) => !isHost(name)));
  };
  await session.start(false);
  await trainer.run(signalWhen(() => lifecycle.frozen(slot)));
  const frozen = await seedBits(), host = await hostBits(session);
  assert(Object.keys(frozen).length > 0);
  assertEquals(lifecycle.alphaAt(slot, 0), 1);
  const { tick } = trainer.progress;
  await trainer.run(
    signalWhen(() => trainer.progress.tick === tick + 1 && trainer.progress.stepInTick === 3),
  );
  const alpha = lifecycle.alphaAt(slot, 0);
  assert(alpha > 0 && alpha < 1, `alpha is ${alpha}`);
  assertEquals(await seedBits(), frozen);
  const later = await hostBits(session);
  assert(Object.keys(host).every((name) => later[name].join() !== host[name].join()), "the host trains on");
  assertEquals(await trainer.run(NEVER), "completed");
  await session.bus.drain();
  const pruned = edgesOf(session).find(({ to }) => to === "PRUNED")!;
  assertEquals([pruned.from, pruned.reason, pruned.tick], ["HOLDING", "action", tick + 2]);
  assertEquals([store.names.filter((name) => !isHost(name)), lifecycle.stageOf(slot)], [[], "DORMANT"]);
  await session.destroy();
});

Deno.test("memory is flat over many steps, and none is left at the end", async () => {
  const gpu = (await openShared("native"))!;
  const session = await openSession(gpu, tinyConfig("images", { train: { maxSteps: 60 } }));
  await session.start(false);
  const seen = new Set<number>();
  await session.trainer.run(signalWhen(() => {
    if (session.trainer.progress.step > 8 && session.trainer.progress.stepInTick === 1) {
      seen.add(gpu.allocator.liveBytes);
    }
    return false;
  }));
  assertEquals(seen.size, 1);
  await session.destroy();
  assertEquals(gpu.allocator.liveBytes, 0);
});

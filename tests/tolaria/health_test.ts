/** What is measured at slots: on the reference executor, and in a run. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { HEALTH, type SlotHealth } from "../../src/contracts/health.ts";
import { evaluate } from "../../src/engine/compile/reference.ts";
import { stepInput } from "../../src/engine/graph/tensor.ts";
import { type Model, TraceScope } from "../../src/engine/nn/scope.ts";
import { mean, sum } from "../../src/engine/ops/reduce.ts";
import { morph } from "../../src/kasmina/mod.ts";
import { mul } from "../../src/engine/ops/elementwise.ts";
import type { GrowableModel } from "../../src/tolaria/growable.ts";
import { traceHealth } from "../../src/tolaria/health.ts";
import { openShared } from "../support/devices.ts";
import { openSession, signalWhen, tinyConfig } from "../support/session.ts";

/** Its tap is its input, so that what is measured there can be told by hand. */
const plain: Model = {
  name: "plain",
  input: [1, 2, 2],
  classes: 2,
  forward: (scope, x) => sum(scope.tap("slot", x), [1, 2]),
};
const network = morph(plain, ["*"]);
const model: GrowableModel = {
  classes: 2,
  slots: ["slot"],
  groupOf: () => "host",
  trace: (scope, x, topology) =>
    network.trace(
      scope,
      x,
      Object.fromEntries(
        Object.entries(topology).map(([slot, { seed, mode }]) => [slot, {
          seed,
          mode,
          branch: (_, h) => mul(h, 3),
        }]),
      ),
    ),
};

/** The row of one pass over two examples of 1×2 pixels and two channels. */
function rowOf(x: readonly number[], gamma?: readonly number[]): number[] {
  const scope = new TraceScope();
  const topology = gamma ? { slot: { seed: "slot/1", blueprint: "any", mode: "shadow" as const } } : {};
  const { row } = traceHealth(model, scope, stepInput("x", [2, 1, 2, 2]), topology)!;
  return [...evaluate([row], { x, ...gamma && { "seed/slot/1/gamma": gamma } })[0]];
}

Deno.test("traceHealth() takes mean, variance and share of dead channels of h", () => {
  assertEquals(rowOf([1, 0, 3, 0, 5, 0, 7, 0]), [2, 6.5, 0.5]);
  assertEquals(rowOf(new Array(8).fill(0)), [0, 0, 1]);
  assertEquals(rowOf([1e-20, -1, 0, 0, 0, 0, 0, 0])[2], 0, "a channel that is seldom or hardly alive lives");
});

Deno.test("traceHealth() takes the same of what a seed would add, which is dead at birth", () => {
  const x = [1, 2, 3, 4, 5, 6, 7, 8];
  assertEquals(rowOf(x, [0, 0]).slice(3), [0, 0, 1]);
  const [average, variance, dead] = rowOf(x, [0.5, 0]).slice(3);
  assertEquals(dead, 0.5);
  assertAlmostEquals(average, 1.5 * 4 / 2, 1e-12);
  assertAlmostEquals(variance, (1.5 ** 2 * (1 + 9 + 25 + 49)) / 8 - average ** 2, 1e-12);
  assertEquals(rowOf(x, [0.5, 0]).slice(0, 3), rowOf(x), "the seed is looked at from outside");
});

Deno.test("traceHealth() has numbers of a broken seed that are no numbers, and sound ones of its host", () => {
  const row = rowOf([1, 2, 3, 4, 5, 6, 7, 8], [Infinity, 1]);
  assert(row.slice(0, 3).every(Number.isFinite));
  assert(!Number.isFinite(row[3]));
});

Deno.test("traceHealth() has nothing to look at where there are no slots", () => {
  assertEquals(
    traceHealth({ ...model, slots: [] }, new TraceScope(), mean(stepInput("x", [2, 1, 2, 2])), {}),
    null,
  );
});

const known = (health: SlotHealth) => HEALTH.filter((quantity) => health[quantity].value !== null);

for (const incubation of ["shadow", "none", "ste"] as const) {
  Deno.test(`a run measures every slot once a tick, and what it does not know stays unknown (${incubation})`, async () => {
    const gpu = (await openShared("native"))!;
    const config = tinyConfig("images", {
      growth: { incubation },
      controller: {
        kind: "fixed",
        schedule: [{ tick: 1, action: "germinate", slot: "block1", blueprint: "conv3" }],
      },
    });
    const session = await openSession(gpu, config);
    await session.start(false);
    await session.trainer.run(signalWhen(() => session.trainer.progress.tick === 7));
    await session.bus.drain();
    const reports = session.events.flatMap((event) => event.topic === "tick.report" ? [event.payload] : []);
    assertEquals(reports.length, 7);
    for (const { tick, slots: [grown, empty] } of reports) {
      assertEquals(known(empty.health), ["hMean", "hVariance", "hDead", "hostGradNorm"]);
      assertEquals([empty.times.stepP50.value, empty.times.micros.value], [null, null]);
      assertEquals(empty.health.hMean.slope !== null, tick >= 3, "a trend wants three ticks");
      assert(empty.health.hVariance.value! > 0 && empty.health.hDead.value! < 1);
      if (tick >= 4) assertEquals(known(grown.health), [...HEALTH]);
    }
    const { health } = reports.at(-1)!.slots[0];
    assert(health.deltaVariance.value! > 0 && health.deltaDead.value! < 1 && health.deltaMean.slope !== null);
    // The state holds what the report told.
    const { lifecycle } = session.trainer.parts;
    const json = JSON.parse(JSON.stringify(lifecycle.toJSON()));
    const before = lifecycle.observe();
    lifecycle.restore(json);
    assertEquals([lifecycle.observe(), before[0].health], [before, health]);
    await session.destroy();
  });
}

Deno.test("a run that reads often tells how long its steps take, and what of that is a seed's", async () => {
  const gpu = (await openShared("native"))!;
  const config = tinyConfig("points", {
    train: { maxSteps: 100 },
    loop: { tickSteps: 8, metricsSteps: 1 },
    controller: {
      kind: "fixed",
      schedule: [{ tick: 1, action: "germinate", slot: "layer1", blueprint: "mlp" }],
    },
  });
  const session = await openSession(gpu, config);
  await session.start(false);
  await session.trainer.run(signalWhen(() => session.trainer.progress.tick === 4));
  await session.bus.drain();
  const [grown, empty] =
    session.events.flatMap((event) => event.topic === "tick.report" ? [event.payload] : [])
      .at(-1)!.slots;
  const { stepP50, stepP95, micros } = grown.times;
  assert(stepP50.value! > 0 && stepP95.value! >= stepP50.value!);
  assert(Number.isFinite(micros.value));
  assertEquals(empty.times.stepP50.value, null);
  assertEquals(Object.keys(session.trainer.parts.lifecycle.observe()[0]).includes("times"), false);
  await session.destroy();
});

/** Fault blueprints in the shadow of a host: caught within a tick, and the host's bits are those of a run without them. */
import { assert, assertEquals } from "@std/assert";
import type { RunConfig } from "../../src/contracts/config.ts";
import { openShared } from "../support/devices.ts";
import { edgesOf, type OpenSession, openSession, signalWhen, tinyConfig } from "../support/session.ts";
import { bitsOf } from "../support/store.ts";

const SOWN = 2;

function sowing(blueprint: string, changes: object): RunConfig {
  return tinyConfig("images", {
    governor: { minReadings: 3 },
    controller: {
      kind: "fixed",
      schedule: [{ tick: SOWN, action: "germinate", slot: "block2", blueprint }],
    },
    ...changes,
  });
}

/** Runs until told to stop, and hands over the session and the host's bits. */
async function runUntil(
  config: RunConfig,
  reached: (session: OpenSession) => boolean,
  look: (session: OpenSession, bits: Record<string, number[][]>) => Promise<void> | void,
): Promise<void> {
  const session = await openSession((await openShared("native"))!, config);
  try {
    await session.start(false);
    await session.trainer.run(signalWhen(() => reached(session)));
    await session.bus.drain();
    const bits = await bitsOf(session.trainer.parts.store);
    await look(
      session,
      Object.fromEntries(Object.entries(bits).filter(([name]) => !name.startsWith("seed/"))),
    );
  } finally {
    await session.destroy();
  }
}

/** The same run without the mutation, at the same step. */
async function assertAsFork(step: number, bits: Record<string, number[][]>): Promise<void> {
  await runUntil(
    tinyConfig("images", { governor: { minReadings: 3 } }),
    ({ trainer }) => trainer.progress.step === step,
    (_, fork) => assertEquals(bits, fork),
  );
}

for (const [blueprint, incubation] of [["nan", "shadow"], ["nan", "none"], ["explode", "none"]] as const) {
  Deno.test(`a seed of ${blueprint} incubated by ${incubation} is caught within a tick, the host's bits as in a fork`, async () => {
    const config = sowing(blueprint, { growth: { incubation } });
    let alive = false;
    const caught = ({ trainer }: OpenSession) => {
      const stage = trainer.parts.lifecycle.stageOf("block2");
      const lives = stage === "GERMINATED" || stage === "TRAINING";
      alive ||= lives;
      return alive && !lives;
    };
    await runUntil(config, caught, async (session, bits) => {
      const edges = edgesOf(session);
      const pruned = edges.find(({ to }) => to === "PRUNED")!;
      // NaN within the network shows when the programs that hold it are first evaluated, before the edge to TRAINING.
      const running = edges.findLast(({ to }) => to === "TRAINING" || to === "GERMINATED")!;
      assert(["governor", "not_finite"].includes(pruned.reason), pruned.reason);
      assert(pruned.tick - running.tick <= 1, `${pruned.tick - running.tick} ticks`);
      await assertAsFork(session.trainer.progress.step, bits);
    });
  });
}

Deno.test("a seed of explode in the shadow of a host stays there: its gate holds it, the host's bits as in a fork", async () => {
  const config = sowing("explode", { growth: { incubation: "shadow" } });
  const trained = ({ trainer: { parts, progress } }: OpenSession) =>
    parts.lifecycle.stageOf("block2") === "TRAINING" && progress.tick > SOWN + 1;
  await runUntil(config, trained, async (session, bits) => {
    const { tick, step } = session.trainer.progress;
    const veto = session.trainer.parts.lifecycle.check(
      { kind: "advance", slot: "block2" },
      { tick, step, ticksLeft: 100, governor: null },
    );
    assertEquals([veto?.reason, veto?.evidence.ticksInStage], ["advantage_unproven", 1]);
    assert(Number(veto?.evidence.advantage) < -100, `${veto?.evidence.advantage}`);
    await assertAsFork(session.trainer.progress.step, bits);
  });
});

Deno.test("a seed of slow is refused before it costs anything, as it exceeds the budget of FLOPs", async () => {
  const config = sowing("slow", { growth: { blueprints: ["slow"], flopsBudget: 2 } });
  await runUntil(config, ({ trainer }) => trainer.progress.tick === SOWN + 1, async (session, bits) => {
    assertEquals(edgesOf(session), []);
    const { tick, step } = session.trainer.progress;
    const veto = session.trainer.parts.lifecycle.check(
      { kind: "germinate", slot: "block2", blueprint: "slow" },
      { tick, step, ticksLeft: 100, governor: null },
    );
    assertEquals(veto?.reason, "flop_budget");
    await assertAsFork(session.trainer.progress.step, bits);
  });
});

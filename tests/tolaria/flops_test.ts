/** The ledger against counts by hand, and against everything that a run sends to its device. */
import { assert, assertEquals } from "@std/assert";
import { compilerFlops } from "../../src/app/compiler_flops.ts";
import { flopsOf } from "../../src/engine/compile/schedule.ts";
import type { StepBuffer } from "../../src/engine/compile/step_buffer.ts";
import { gradients } from "../../src/engine/graph/gradients.ts";
import { stepInput } from "../../src/engine/graph/tensor.ts";
import { conv2d } from "../../src/engine/ops/conv2d.ts";
import { sum } from "../../src/engine/ops/reduce.ts";
import type { Step } from "../../src/tolaria/assembly.ts";
import { EXPENSES } from "../../src/tolaria/ledger.ts";
import { createMemoryStore } from "../../src/urza/mod.ts";
import { openShared } from "../support/devices.ts";
import { NEVER, openSession, tinyConfig } from "../support/session.ts";

/** x·w + b for a batch, or the gradients of w and b: a multiplication and an addition a weight, an addition a bias. */
const dense = (from: number, to: number) => BATCH * to * (2 * from + 1);
/** The gradient of x. */
const backward = (from: number, to: number) => BATCH * from * 2 * to;
const BATCH = 16, CLASSES = 3;
/** A network 2-8-8-3: products, then ReLU, then the loss at 5 a logit and whether it is right at 1. */
const FORWARD = dense(2, 8) + dense(8, 8) + dense(8, CLASSES) + 2 * BATCH * 8 + (5 + 1) * BATCH * CLASSES;
const PARAMETERS = 2 * 8 + 8 + 8 * 8 + 8 + 8 * CLASSES + CLASSES;
/** AdamW: 3 for the first moment, 4 for the second, 8 for the step; the gradient's norm takes 2. */
const UPDATE = 17;

Deno.test("Ledger charges steps and updates of a dense network as counted by hand", async () => {
  const config = tinyConfig("points", { train: { maxSteps: 3 } });
  const session = await openSession((await openShared("native"))!, config);
  try {
    await session.start(false);
    await session.trainer.run(NEVER);
    // The gradient of the loss takes 6 a logit, that of ReLU 1; nobody asks for that of the points.
    const reverse = 6 * BATCH * CLASSES + dense(2, 8) + dense(8, 8) + dense(8, CLASSES) +
      backward(8, 8) + backward(8, CLASSES) + 2 * BATCH * 8;
    assertEquals(session.trainer.ledger.save().spent, {
      host: 3 * (FORWARD + reverse + UPDATE * PARAMETERS),
      evaluation: 0,
      incubation: 0,
    });
  } finally {
    await session.destroy();
  }
});

Deno.test("a convolution and its gradients cost what their loops do", () => {
  const [n, side, channels, out, kernel] = [2, 6, 3, 4, 3];
  let loops = 0;
  for (let y = 0; y < side; y += 2) {
    for (let x = 0; x < side; x += 2) loops += n * out * kernel * kernel * channels;
  }
  const x = stepInput("x", [n, side, side, channels]), w = stepInput("w", [kernel, kernel, channels, out]);
  const y = conv2d(x, w, { stride: 2, padding: 1, groups: 1 });
  assertEquals(flopsOf([y]), 2 * loops);
  // Besides, the sum hands its gradient, one number, back to every place of y.
  const places = n * 3 * 3 * out;
  for (const [name, of] of Object.entries({ x, w })) {
    assertEquals(flopsOf(gradients(sum(y), [of])), 2 * loops + places, name);
  }
});

/** A seed that learns in the shadow, is blended in and kept; another that is pruned. */
const GROWING = {
  train: { maxSteps: 60 },
  controller: {
    kind: "fixed",
    schedule: [
      { tick: 1, action: "germinate", slot: "layer2", blueprint: "mlp" },
      { tick: 2, action: "germinate", slot: "layer1", blueprint: "affine" },
      { tick: 4, action: "advance", slot: "layer2" },
      { tick: 6, action: "prune", slot: "layer1" },
      { tick: 8, action: "fossilize", slot: "layer2" },
    ],
  },
};

Deno.test("Ledger has charged every step, update, evaluation and look at health that a growing run sent to its device", async () => {
  const session = await openSession((await openShared("native"))!, tinyConfig("points", GROWING));
  const { trainer } = session, { assembler } = trainer;
  /** FLOPs of everything that is ever built, by where it finds its step values. */
  const costs = new Map<StepBuffer, number>();
  const known = (step: Step | null) => step && costs.set(step.program.step, step.program.flops);
  const { get, scorer } = assembler;
  assembler.get = async (topology) => {
    const built = await get.call(assembler, topology);
    for (
      const step of [built.train, built.shadow, built.evaluate, built.health, ...Object.values(built.trials)]
    ) {
      known(step);
    }
    return built;
  };
  assembler.scorer = async (topology) => {
    const step = await scorer.call(assembler, topology);
    known(step);
    return step;
  };
  let sent = 0, updates = 0;
  const { queue } = trainer.evaluator, { submit } = queue;
  queue.submit = (steps) => {
    for (const { step } of steps) sent += costs.get(step) ?? NaN;
    submit.call(queue, steps);
  };
  const { optimizer, store } = trainer.parts, { stepValues } = optimizer;
  optimizer.stepValues = (rows) => {
    for (const name of store.names) {
      const [place] = store.layout.places.filter((other) => other.name === name);
      const numbers = place.shape.reduce((product, side) => product * side, 1);
      if (place.group in rows) updates += UPDATE * numbers;
    }
    return stepValues.call(optimizer, rows);
  };
  try {
    await session.start(false);
    assertEquals(await trainer.run(NEVER), "completed");
    const { spent } = trainer.ledger.save();
    assertEquals(trainer.ledger.total, sent + updates);
    for (const expense of EXPENSES) assert(spent[expense] > 0, expense);
    assertEquals(
      Object.keys(trainer.progress.running),
      ["layer2"],
      "a seed that failed has been paid for, too",
    );
    assert(trainer.ledger.total > 60 * (FORWARD + UPDATE * PARAMETERS));
  } finally {
    await session.destroy();
  }
});

Deno.test("compilerFlops() adds up what each kernel of a store has cost, and nothing for those without a report", async () => {
  const store = createMemoryStore();
  assertEquals(await compilerFlops(store), 0);
  const reports = [{ spentFlops: 5 }, { spentFlops: 7 }, { reason: "refused" }];
  for (const [k, report] of reports.entries()) {
    const hash = String(k).repeat(64);
    await store.records.register("kernel", hash, {});
    await store.records.claim("kernel", hash, "w", 1000);
    await store.records.settle("kernel", hash, "w", k < 2 ? "VALIDATED" : "INVALID", report);
  }
  await store.records.register("kernel", "9".repeat(64), {});
  assertEquals(await compilerFlops(store), 12);
});

/** What tells a ReLU that rounding has put on the other side of its kink from a kernel that is wrong. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Blueprint } from "../../src/contracts/blueprint.ts";
import { evaluate, evaluateInBackground } from "../../src/engine/compile/reference.ts";
import { type ChooseVariant, firstFit } from "../../src/engine/compile/schedule.ts";
import { resident } from "../../src/engine/graph/tensor.ts";
import { mul, relu } from "../../src/engine/ops/elementwise.ts";
import { BlueprintError } from "../../src/tezzeret/build.ts";
import { differenceOf, driftOf, magnitude } from "../../src/tezzeret/deviation.ts";
import { findBlueprint } from "../../src/tezzeret/library.ts";
import { pipelinesFor } from "../../src/tezzeret/pipelines.ts";
import { openRig } from "../../src/tezzeret/rig.ts";
import { drawValues, gradientOf, traceTrial } from "../../src/tezzeret/trial.ts";
import { createWorkshop } from "../../src/tezzeret/workshop.ts";
import { openShared } from "../support/devices.ts";

const bottleneck = findBlueprint("bottleneck");
const SLOT = [5, 5, 4], BATCH = 16;

/** Kernels of an op that write nothing where there are more examples than the float64 references see. */
const unwrittenAtABatch = (op: string): ChooseVariant => (name, variants, call, device) => {
  const variant = firstFit(name, variants, call, device);
  if (name !== op || call.inputs[0].shape[0] <= 2) return variant;
  return {
    ...variant,
    lower(...args) {
      const { dispatches, scratchBytes } = variant.lower(...args);
      const changed = dispatches.map((one) => ({
        ...one,
        source: one.source.replace(/fn main\([^]*?\{/, (head) => `${head}\n  if (true) { return; }\n`),
      }));
      return { dispatches: changed, scratchBytes };
    },
  };
};

Deno.test("a led reference reads what it is given for a tensor, and returns what it makes of that tensor itself", async () => {
  const x = resident("x", [3], "f32"), y = relu(x), z = mul(y, 2);
  const feeds = { x: [-1, 1e-9, 3] };
  assertEquals((await evaluateInBackground([y, z], feeds)).map((values) => [...values]), [[0, 1e-9, 3], [
    0,
    2e-9,
    6,
  ]]);
  const led = new Map([[y, Float32Array.of(0, 0, 5)]]);
  assertEquals((await evaluateInBackground([y, z], feeds, led)).map((values) => [...values]), [[0, 1e-9, 3], [
    0,
    0,
    10,
  ]]);
  assertEquals(evaluate([z], feeds), await evaluateInBackground([z], feeds));
});

Deno.test("a unit that f16 puts on the other side of its kink is no kernel's fault", async () => {
  const gpu = (await openShared("native"))!;
  if (!gpu.traits.features.has("shader-f16")) return;
  const { fused, reference } = pipelinesFor({ choose: firstFit, precision: "mixed" });
  const name = gradientOf("h");
  const rigs = await Promise.all(
    [fused, reference].map((pipeline) =>
      openRig(gpu, pipeline.prepare(traceTrial(bottleneck, [BATCH, ...SLOT])), pipeline)
    ),
  );
  const differs = async (seed: number) => {
    const [got, want] = await Promise.all(rigs.map(async (rig) => {
      rig.load(drawValues(rig.trial, seed, 0));
      return (await rig.run(0.5, [name]))[0];
    }));
    return differenceOf(got, want).absolute > 0.05 * magnitude(want);
  };
  let seed = 20;
  while (!await differs(seed)) assert(++seed < 80, "want values that f16 puts on the other side of a kink");
  for (const rig of rigs) rig.destroy();
  const workshop = createWorkshop({ gpu, precision: "mixed", thorough: true, batch: BATCH, seed });
  const { batchError, kernelErrors } = await workshop.test({ blueprint: bottleneck, shape: SLOT });
  assert(batchError!.relative < 1e-3, `${batchError!.relative}`);
  const worst = Math.max(...kernelErrors.map(({ relative }) => relative));
  assert(worst > 1e-5 && worst < 1e-3, `${worst}`);
});

for (const op of ["conv2d", "conv2dWeightGradient", "groupNormInputGradient"]) {
  Deno.test(`a kernel of ${op} that fails at a batch alone is found and named, whatever comes after it`, async () => {
    const gpu = (await openShared("native"))!;
    const choose = unwrittenAtABatch(op);
    const workshop = createWorkshop({ gpu, thorough: true, batch: 3, choose });
    const { message } = await assertRejects(
      () => workshop.test({ blueprint: bottleneck, shape: [3, 3, 4] }),
      BlueprintError,
      " equal to the reference pipeline at a batch on the same inputs within 0.001 of ",
    );
    assert(/^want \[\d+(, \d+)*\] of (conv2d|norm)\//.test(message), message);
  });
}

Deno.test("a gradient that f16 severs between sound kernels is missed as a whole", async () => {
  const gpu = (await openShared("native"))!;
  if (!gpu.traits.features.has("shader-f16")) return;
  const severed: Blueprint = {
    name: "severed",
    version: 1,
    about: "too small for f16 on the way",
    nodes: [
      { name: "down", op: "conv", inputs: ["h"], kernel: 1, out: "C" },
      { name: "small", op: "multiply", inputs: ["down"], by: 1e-9 },
      { name: "across", op: "conv", inputs: ["small"], kernel: 1, out: "C" },
      { name: "large", op: "multiply", inputs: ["across"], by: 1e9 },
    ],
  };
  const order = { blueprint: severed, shape: [3, 3, 4] };
  await createWorkshop({ gpu }).test(order);
  await assertRejects(
    () => createWorkshop({ gpu, precision: "mixed" }).test(order),
    BlueprintError,
    "equal to the float64 reference as a whole within 0.5 of its norm",
  );
});

Deno.test("driftOf() forgives one number in a thousand, and neither all of a tensor nor what is not finite", () => {
  const want = Float32Array.from({ length: 1000 }, (_, i) => i % 2 ? 1 : -1), flipped = want.slice();
  flipped[7] = 0;
  assert(driftOf(["y"], [flipped], [want], 0.1, "the reference") < 0.04);
  assertThrows(
    () => driftOf(["y"], [new Float32Array(1000)], [want], 0.1, "the reference"),
    BlueprintError,
    "want y equal to the reference as a whole within 0.1 of its norm, got 1",
  );
  flipped[7] = Infinity;
  assertThrows(() => driftOf(["y"], [flipped], [want], 0.1, "the reference"), BlueprintError);
});

/** Every blueprint on every device in every precision it has: birth, gradients, and kernels against their references. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { firstFit } from "../../src/engine/compile/schedule.ts";
import { BlueprintError } from "../../src/tezzeret/build.ts";
import { fitOf } from "../../src/tezzeret/check.ts";
import { findBlueprint, library } from "../../src/tezzeret/library.ts";
import { pipelinesFor, planOf } from "../../src/tezzeret/pipelines.ts";
import { compileKernels } from "../../src/tezzeret/rig.ts";
import { traceTrial } from "../../src/tezzeret/trial.ts";
import { createWorkshop } from "../../src/tezzeret/workshop.ts";
import { formatShape } from "../../src/util/shape.ts";
import { onEachDevice, openOwn, openShared } from "../support/devices.ts";
import { stillborn } from "./probe.ts";

const SHAPES = [[3, 3, 8], [8]];

for (const blueprint of library) {
  onEachDevice(`a newborn seed of ${blueprint.name} is right in each shape and precision`, async (gpu) => {
    const precisions = gpu.traits.features.has("shader-f16") ? ["fp32", "mixed"] as const : ["fp32"] as const;
    for (const precision of precisions) {
      const workshop = createWorkshop({ gpu, precision });
      for (const shape of SHAPES.filter((shape) => fitOf(blueprint, shape).fits)) {
        const { noOpError, stillborn: dead, gradientError, finite, fused } = await workshop.test({
          blueprint,
          shape,
        });
        const where = `${precision} at ${formatShape(shape)}`;
        assertEquals([noOpError, dead, finite], [0, [], blueprint.name !== "nan"], where);
        assert(blueprint.fault || gradientError! < 1e-5, `${where}: gradients off by ${gradientError}`);
        assert(fused.bytes > 0 && fused.dispatches > 0 && fused.p50Micros !== 0, where);
      }
    }
  });
}

Deno.test("lesson 1, a no-op that is dead: a branch without a gradient at birth is refused", async () => {
  const workshop = createWorkshop({ gpu: (await openShared("native"))! });
  await assertRejects(
    () => workshop.test({ blueprint: stillborn, shape: [4, 4, 4] }),
    BlueprintError,
    "want a gradient for every tensor from the second step on, got none for gamma; take out what is always 0 at birth",
  );
});

Deno.test("workshop.test() on a GPU's terms compares and times the size of a batch by both pipelines", async () => {
  const workshop = createWorkshop({ gpu: (await openShared("native"))!, thorough: true, batch: 3 });
  const order = { blueprint: findBlueprint("pointwise"), shape: [10, 10, 4] };
  const { checkedShape, batchShape, kernels } = await workshop.draft(order);
  assertEquals([checkedShape, batchShape], [[2, 8, 8, 4], [3, 10, 10, 4]]);
  const { batchError, fused, reference, costs, kernelErrors, phases, spentFlops } = await workshop.test(
    order,
  );
  assert(batchError!.relative < 1e-5, `${batchError!.relative}`);
  assert(fused.dispatches <= reference!.dispatches && fused.bytes <= reference!.bytes);
  const used = kernels.filter(({ dispatches }) => dispatches > 0);
  assertEquals(costs.map(({ sha256 }) => sha256), used.map(({ sha256 }) => sha256));
  assert(kernels.length > used.length, "the corner takes kernels of its own");
  assertEquals(costs.reduce((sum, { bytes }) => sum + bytes, 0), fused.bytes);
  assertEquals(kernelErrors.map(({ sha256 }) => sha256), kernels.map(({ sha256 }) => sha256));
  const worst = Math.max(...kernelErrors.map(({ relative }) => relative));
  assert(worst > 0 && worst < 1e-5, `${worst}`);
  assertEquals(new Set(kernelErrors.map(({ against }) => against)), new Set(["float64", "reference"]));
  const known = ["compile corner", "compare corner", "run batch", "run reference", "compile step", "free"];
  assertEquals(known.filter((name) => !phases.some(({ phase, ms }) => phase === name && ms >= 0)), []);
  assert(spentFlops > 0 && costs.some(({ flops }) => flops > 0));
});

Deno.test("workshop.test() on a GPU's terms compiles what training's own batch takes, however much of it is tried", async () => {
  const gpu = await openOwn("native");
  const workshop = createWorkshop({ gpu, thorough: true, batch: 70 });
  const order = { blueprint: findBlueprint("affine"), shape: [16, 16, 4] };
  const { batchShape } = await workshop.draft(order);
  assertEquals(batchShape, [64, 16, 16, 4]);
  await workshop.test(order);
  const known = gpu.pipelines.size;
  const { fused } = pipelinesFor({ choose: firstFit, precision: "fp32" });
  const plan = await planOf(traceTrial(order.blueprint, [70, 16, 16, 4]), fused, gpu.traits);
  await compileKernels(gpu, plan);
  assertEquals(gpu.pipelines.size, known);
  gpu.destroy();
});

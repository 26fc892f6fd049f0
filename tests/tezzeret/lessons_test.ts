/** What went wrong with compilers and kernels of grown networks elsewhere, each with what keeps it from happening here. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { evaluate } from "../../src/engine/compile/reference.ts";
import { firstFit } from "../../src/engine/compile/schedule.ts";
import { BlueprintError } from "../../src/tezzeret/build.ts";
import { parseBlueprint } from "../../src/tezzeret/check.ts";
import { createTezzeret, kernelCacheKey } from "../../src/tezzeret/compiler.ts";
import { findBlueprint, library } from "../../src/tezzeret/library.ts";
import { ALPHA, atBirth, drawValues, gradientOf, RESULT, traceTrial } from "../../src/tezzeret/trial.ts";
import { deviations } from "../../src/tezzeret/deviation.ts";
import { createWorkshop, type WorkshopOptions } from "../../src/tezzeret/workshop.ts";
import { createMemoryStore } from "../../src/urza/memory.ts";
import { onEachDevice, openShared } from "../support/devices.ts";

const SLOT = [4, 4, 4];
const affine = findBlueprint("affine");

async function service(store = createMemoryStore(), options: Partial<WorkshopOptions> = {}) {
  const gpu = (await openShared("native"))!;
  const workshop = createWorkshop({ gpu, ...options });
  return createTezzeret({ adapter: gpu.adapter, workshop, store, version: "test" });
}

Deno.test("lesson 2, blueprints that are no no-ops: at birth each gives back its input to the bit, whatever α is", () => {
  for (const blueprint of library.filter(({ fault }) => !fault)) {
    const shape = blueprint.name === "mlp" ? [2, 8] : [2, 4, 4, 8];
    const trial = traceTrial(blueprint, shape);
    const values = atBirth(drawValues(trial, 1, 0));
    for (const alpha of [0, 0.5, 1]) {
      const [y] = evaluate([trial.outputs[RESULT]], { ...values, [ALPHA]: [alpha] });
      assertEquals([...y], [...values.h], blueprint.name);
    }
  }
});

onEachDevice(
  "lesson 24, mixed precision that severs gradients: none that there is in f32 is nothing in f16",
  async (gpu) => {
    if (!gpu.traits.features.has("shader-f16")) return;
    const workshop = createWorkshop({ gpu, precision: "mixed" });
    const blueprint = findBlueprint("lowrank");
    const { errors, drift, stillborn } = await workshop.test({ blueprint, shape: SLOT });
    const learned = traceTrial(blueprint, [2, ...SLOT]).learned.map(gradientOf);
    assertEquals([Object.keys(errors), stillborn], [[RESULT, ...learned], []]);
    assert(Object.values(errors).every(({ relative }) => relative < 0.01), JSON.stringify(errors));
    // A gradient that is nothing is off by all of itself.
    assert(drift < 0.1, `${drift}`);
  },
);

Deno.test("lesson 29, stale caches: kernels that have changed are tried anew, though no version has", async () => {
  const store = createMemoryStore();
  const first = await service(store);
  await first.admit(findBlueprint("pointwise"), SLOT);
  await first.close();
  const second = await service(store, {
    choose: (op, variants, call, device) => {
      const variant = firstFit(op, variants, call, device);
      return {
        ...variant,
        lower(...args) {
          const { dispatches, scratchBytes } = variant.lower(...args);
          const changed = dispatches.map((one) => ({ ...one, source: `${one.source}\n// as of today` }));
          return { dispatches: changed, scratchBytes };
        },
      };
    },
  });
  await second.admit(findBlueprint("pointwise"), SLOT);
  await second.close();
  assertEquals((await store.records.list("kernel", "VALIDATED")).length, 2);
});

Deno.test("lesson 32, keys that can never hit: no time, no address and no order of keys is in them", async () => {
  const { adapter } = (await openShared("native"))!;
  const identity = { ir: affine, shape: SLOT, precision: "fp32" as const, adapter, version: "1" };
  const turned = Object.fromEntries(Object.entries(identity).toReversed()) as unknown as typeof identity;
  const key = await kernelCacheKey(identity);
  await new Promise((resolve) => setTimeout(resolve, 2));
  assertEquals(await kernelCacheKey(structuredClone(turned)), key);
  assertEquals(await kernelCacheKey({ ...identity, shape: [4, 4, 8] }) === key, false);
});

Deno.test("lesson 33, kernels that are code: a blueprint is data, and its text reaches no kernel", async () => {
  const call = { ...affine, nodes: [{ name: "f", op: "scale", inputs: ["h"], apply: () => 1 }] };
  assertThrows(() => parseBlueprint(call), BlueprintError, "apply");
  const workshop = createWorkshop({ gpu: (await openShared("native"))! });
  const odd = parseBlueprint({
    ...JSON.parse(JSON.stringify(affine)),
    name: "odd",
    about: "*/ fn main() { loop {} } /*",
  });
  const { kernels } = await workshop.draft({ blueprint: odd, shape: SLOT });
  assertEquals(kernels, (await workshop.draft({ blueprint: affine, shape: SLOT })).kernels);
});

Deno.test("lesson 34, async in the step: what is known is known at once, and what is not is not waited for", async () => {
  const tezzeret = await service();
  assertEquals(tezzeret.known(affine, SLOT), null);
  tezzeret.prepare(affine, SLOT);
  assertEquals(tezzeret.known(affine, SLOT), null);
  const report = await tezzeret.admit(affine, SLOT);
  assertEquals(tezzeret.known(affine, SLOT), report);
  await tezzeret.close();
});

onEachDevice(
  "lesson 39, timings without a sync, tolerances that grow until all is green: no clock, no time; 1 % off is wrong",
  async (gpu) => {
    const { features } = gpu.device;
    const clockless = new Set([...features].filter((name) => name !== "timestamp-query"));
    const device = new Proxy(gpu.device, {
      get(target, key) {
        const value = key === "features" ? clockless : Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const workshop = createWorkshop({ gpu: { ...gpu, device } });
    const { fused, costs, tolerance } = await workshop.test({ blueprint: affine, shape: SLOT });
    assertEquals(
      [fused.p50Micros, ...costs.map(({ p50Micros }) => p50Micros)].every((micros) => micros === null),
      true,
    );
    const want = [Float32Array.of(1, 2, 100)], got = [Float32Array.of(1, 2, 101)];
    await assertRejects(
      () => Promise.try(() => deviations(["y"], got, want, tolerance, "the reference")),
      BlueprintError,
      "want y equal to the reference",
    );
  },
);

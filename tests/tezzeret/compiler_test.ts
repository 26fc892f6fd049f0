import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Blueprint } from "../../src/contracts/blueprint.ts";
import { evaluate, evaluateInBackground } from "../../src/engine/compile/reference.ts";
import { type ChooseVariant, firstFit } from "../../src/engine/compile/schedule.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { GpuError } from "../../src/engine/gpu/errors.ts";
import type { Dispatch } from "../../src/engine/gpu/kernel.ts";
import { compilerFlops } from "../../src/app/compiler_flops.ts";
import { BlueprintError } from "../../src/tezzeret/build.ts";
import { createTezzeret, type TezzeretOptions } from "../../src/tezzeret/compiler.ts";
import { findBlueprint } from "../../src/tezzeret/library.ts";
import { batchOf, cornerOf, drawValues, traceTrial } from "../../src/tezzeret/trial.ts";
import { agreeOnce } from "../../src/tezzeret/validate.ts";
import { createWorkshop, type Workshop, type WorkshopOptions } from "../../src/tezzeret/workshop.ts";
import { createMemoryStore } from "../../src/urza/memory.ts";
import { sha256 } from "../../src/util/hash.ts";
import { onEachDevice, openShared } from "../support/devices.ts";

const SLOT = [4, 4, 4];
const conv3 = findBlueprint("conv3");

type Options = Partial<TezzeretOptions & WorkshopOptions>;

/** A service on a device, with a store of its own unless told otherwise. */
function serviceOn(gpu: Gpu, options: Options = {}) {
  const store = options.store ?? createMemoryStore();
  const { adapter } = gpu;
  const workshop = createWorkshop({ gpu, ...options });
  return { gpu, store, tezzeret: createTezzeret({ adapter, workshop, version: "test", ...options, store }) };
}

/** The same on the shared device. */
async function service(options: Options = {}) {
  return serviceOn(options.gpu ?? (await openShared("native"))!, options);
}

/** A device on which no kernel can be compiled: whoever asks for one fails. */
function withoutCompiler(gpu: Gpu, error: Error): Gpu {
  return { ...gpu, pipelines: { get: () => Promise.reject(error) } as unknown as Gpu["pipelines"] };
}

/** Kernels of one op, tampered with. */
function tampered(op: string, change: (dispatch: Dispatch) => Dispatch): ChooseVariant {
  return (name, variants, call, device) => {
    const variant = firstFit(name, variants, call, device);
    if (name !== op) return variant;
    return {
      ...variant,
      lower(...args) {
        const { dispatches, scratchBytes } = variant.lower(...args);
        return { dispatches: dispatches.map(change), scratchBytes };
      },
    };
  };
}

const unwritten = tampered("conv2d", (dispatch) => ({
  ...dispatch,
  source: dispatch.source.replace(/fn main\([^]*?\{/, (head) => `${head}\n  if (true) { return; }\n`),
}));
const misspelt = tampered("conv2d", (dispatch) => ({ ...dispatch, source: `${dispatch.source}\nfn (` }));

onEachDevice(
  "admit() finds kernels of sound and of faulty blueprints equal to their reference",
  async (gpu) => {
    const { tezzeret } = serviceOn(gpu);
    const before = gpu.allocator.liveBytes;
    for (
      const [name, finite] of [["conv3", true], ["se", true], ["nan", false], ["explode", true]] as const
    ) {
      const report = await tezzeret.admit(findBlueprint(name), SLOT);
      assertEquals([name, report.finite, report.noOpError], [name, finite, 0]);
      assertEquals(Object.keys(report.errors).slice(0, 3), ["y", "gradient of h", "gradient of gamma"]);
      const worst = Math.max(...Object.values(report.errors).map(({ relative }) => relative));
      assert(worst < 0.1 * report.tolerance, `${name}: relative error ${worst}`);
      const worstKernel = Math.max(...report.kernelErrors.map(({ relative }) => relative));
      assert(worstKernel < 0.1 * report.tolerance, `${name}: relative error ${worstKernel} of a kernel`);
    }
    assertEquals(gpu.allocator.liveBytes, before);
  },
);

Deno.test("admit() reports costs, and keeps IR and kernels under the hashes that it names", async () => {
  const { tezzeret, store, gpu } = await service();
  const report = await tezzeret.admit(conv3, [16, 16, 4]);
  assertEquals([report.blueprint, report.shape, report.checkedShape], ["conv3", [16, 16, 4], [2, 8, 8, 4]]);
  assertEquals([report.precision, report.version, report.adapter], ["fp32", "test", gpu.adapter]);
  assertEquals(report.parameters, 3 * 3 * 4 * 4 + 2 * 4 + 4);
  assert(report.flops > 2 * 9 * 16 * 16 * 4 * 4 && report.elapsedMs > 0);
  assertEquals(report.fused.dispatches, report.kernels.reduce((sum, { dispatches }) => sum + dispatches, 0));
  for (const { name, sha256: hash } of report.kernels) {
    const text = new TextDecoder().decode(await store.get(hash));
    assertEquals(await sha256(text), hash);
    assertStringIncludes(text, "@compute", name);
  }
  assertEquals(JSON.parse(new TextDecoder().decode(await store.get(report.ir))), conv3);
  assertEquals((await store.records.read("blueprint", report.ir)).state, "VALIDATED");
  const record = await store.records.read("kernel", report.key);
  const stored: unknown = { key: report.key, ...record.meta as object, ...record.report as object };
  assertEquals(stored, report);
  assertEquals((await store.collect()).blobs, 0);
});

Deno.test("admit() knows in a later process what it found out, and compiles nothing", async () => {
  const { tezzeret, store, gpu } = await service();
  const report = await tezzeret.admit(conv3, SLOT);
  assertEquals(await tezzeret.admit(conv3, [...SLOT]), report);
  const compiled = gpu.pipelines.size;
  const later = await service({ store, gpu: withoutCompiler(gpu, new Error("compiled again")) });
  assertEquals(await later.tezzeret.admit(conv3, SLOT), report);
  assertEquals(gpu.pipelines.size, compiled);
  assertEquals((await store.records.list("kernel")).length, 1);
});

Deno.test("admit() asks again under another version of Esper", async () => {
  const { tezzeret, store } = await service();
  const { key } = await tezzeret.admit(findBlueprint("affine"), SLOT);
  const newer = await service({ store, version: "newer" });
  assert((await newer.tezzeret.admit(findBlueprint("affine"), SLOT)).key !== key);
});

Deno.test("admit() refuses kernels that compute something else, and remembers it", async () => {
  const { tezzeret, store, gpu } = await service({ choose: unwritten });
  const text = "blueprint conv3 at [4, 4, 4]: want [2, 4, 4, 4] of conv2d/";
  const { message } = await assertRejects(() => tezzeret.admit(conv3, SLOT), BlueprintError, text);
  assertStringIncludes(message, " equal to the float64 reference on the same inputs within 0.001 of ");
  const [{ report }] = await store.records.list("kernel", "INVALID");
  assert((report as { spentFlops: number }).spentFlops > 0);
  assertEquals(await compilerFlops(store), (report as { spentFlops: number }).spentFlops);
  const later = await service({
    store,
    choose: unwritten,
    gpu: withoutCompiler(gpu, new Error("compiled again")),
  });
  await assertRejects(() => later.tezzeret.admit(conv3, SLOT), BlueprintError, message);
  // Other kernels are another matter.
  await (await service({ store })).tezzeret.admit(conv3, SLOT);
});

Deno.test("admit() refuses kernels that the device refuses, by name", async () => {
  const { tezzeret, store } = await service({ choose: misspelt });
  await assertRejects(
    () => tezzeret.admit(conv3, SLOT),
    BlueprintError,
    "blueprint conv3 at [4, 4, 4]: kernel conv2d/",
  );
  assertEquals((await store.records.list("kernel", "INVALID")).length, 1);
});

Deno.test("admit() does not blame the blueprint for what fails beside it", async () => {
  const { store, gpu } = await service();
  const lost: Gpu = {
    ...withoutCompiler(gpu, new GpuError("no answer")),
    check() {
      throw new GpuError("the device was lost");
    },
  };
  const unlucky = await service({ store, gpu: lost, leaseMs: 100 });
  await assertRejects(() => unlucky.tezzeret.admit(conv3, SLOT), GpuError, "the device was lost");
  assertEquals((await store.records.list("kernel", "INVALID")).length, 0);
  await serviceOn(gpu, { store }).tezzeret.admit(conv3, SLOT);
});

Deno.test("admit() takes over kernels that a killed process was at work on", async () => {
  const known = await (await service()).tezzeret.admit(conv3, SLOT);
  const { tezzeret, store } = await service();
  await store.records.register("kernel", known.key, null);
  await store.records.claim("kernel", known.key, "killed", 200);
  assertEquals((await tezzeret.admit(conv3, SLOT)).key, known.key);
  const { state, history } = await store.records.read("kernel", known.key);
  assertEquals([state, history[1].reason], ["VALIDATED", "lease of killed ran out"]);
});

Deno.test("admit() renews its lease for as long as the workshop is heard of", async () => {
  let now = 0;
  const store = createMemoryStore(() => now), leaseMs = 1000;
  const gpu = (await openShared("native"))!, near = createWorkshop({ gpu });
  const workshop: Workshop = {
    ...near,
    async test(order, heartbeat) {
      for (let k = 0; k < 4; k++) {
        now += leaseMs / 2;
        heartbeat!.beat();
        for (let turn = 0, until = 0; turn < 1000 && until !== now + leaseMs; turn++) {
          await new Promise((resolve) => setTimeout(resolve));
          const [{ lease }] = await store.records.list("kernel", "COMPILING");
          until = lease!.until;
        }
      }
      return await near.test(order, heartbeat);
    },
  };
  const tezzeret = createTezzeret({ adapter: gpu.adapter, workshop, store, version: "test", leaseMs });
  const { key } = await tezzeret.admit(findBlueprint("affine"), SLOT);
  const { history } = await store.records.read("kernel", key);
  assertEquals(history.map(({ to }) => to), ["COMPILING", "VALIDATED"]);
  await tezzeret.close();
});

Deno.test("admit() says of a blueprint that does not fit why, and stores nothing", async () => {
  const { tezzeret, store } = await service();
  await assertRejects(
    () => tezzeret.admit(conv3, [16]),
    BlueprintError,
    "blueprint conv3: node spatial: want",
  );
  assertEquals(await store.records.list("kernel"), []);
});

Deno.test("admit() refuses a blueprint that breaks the rules of blueprints", async () => {
  const { tezzeret, store } = await service();
  const wordless: Blueprint = { ...conv3, about: "" };
  await assertRejects(() => tezzeret.admit(wordless, SLOT), BlueprintError, "blueprint: about: ");
  assertEquals((await store.records.list("blueprint", "INVALID")).length, 1);
});

Deno.test("deploy() notes once that kernels are in use", async () => {
  const { tezzeret, store } = await service();
  const { key } = await tezzeret.admit(conv3, SLOT);
  await tezzeret.deploy(conv3, SLOT);
  await tezzeret.deploy(conv3, SLOT);
  assertEquals((await store.records.read("kernel", key)).state, "DEPLOYED");
  assertEquals((await (await service({ store })).tezzeret.admit(conv3, SLOT)).key, key);
});

Deno.test("cornerOf() cuts slots that would take the reference long", () => {
  assertEquals(cornerOf(conv3, [32, 16, 8]), [2, 8, 8, 8]);
  assertEquals(cornerOf(conv3, [32, 3, 64]), [2, 4, 3, 64]);
  assertEquals(cornerOf(findBlueprint("mlp"), [256]), [2, 256]);
});

Deno.test("batchOf() takes the batch of training, or what a device computes in a moment", () => {
  assertEquals(batchOf(conv3, [32, 32, 16], 64, false), [64, 32, 32, 16]);
  assertEquals(batchOf(conv3, [32, 32, 16], 64, true), [4, 32, 32, 16]);
  assertEquals(batchOf(findBlueprint("affine"), [32, 32, 64], 4096, false), [32, 32, 32, 64]);
  assertEquals(batchOf(findBlueprint("slow"), [64, 64, 64], 64, true), [1, 64, 64, 64]);
});

Deno.test("agreeOnce() forgives two draws, and errors that are no difference not at all", async () => {
  const failing = (draws: number, error: Error) => (draw: number) =>
    draw < draws ? Promise.reject(error) : Promise.resolve(draw);
  assertEquals(await agreeOnce(failing(2, new BlueprintError("y differs"))), 2);
  await assertRejects(
    () => agreeOnce(failing(3, new BlueprintError("y differs"))),
    BlueprintError,
    "y differs",
  );
  await assertRejects(() => agreeOnce(failing(1, new GpuError("lost"))), GpuError, "lost");
});

Deno.test("evaluateInBackground() equals evaluate() and lets others run", async () => {
  const trial = traceTrial(conv3, [2, ...SLOT]);
  const outputs = Object.values(trial.outputs), feeds = { ...drawValues(trial, 1, 0), alpha: [0.5] };
  let turns = 0;
  const other = setInterval(() => turns++);
  assertEquals(await evaluateInBackground(outputs, feeds), evaluate(outputs, feeds));
  clearInterval(other);
  assert(turns > 5, `${turns} turns`);
});

Deno.test("admit() of several at once compiles once, and known() has it from then on", async () => {
  const { tezzeret, store } = await service();
  const affine = findBlueprint("affine");
  assertEquals(tezzeret.known(affine, SLOT), null);
  // Equal blueprints and shapes are the same, whoever holds them.
  const reports = await Promise.all([
    tezzeret.admit(affine, SLOT),
    tezzeret.admit(structuredClone(affine), [...SLOT]),
  ]);
  assert(reports[0] === reports[1]);
  assertEquals((await store.records.list("kernel")).length, 1);
  assert(tezzeret.known(affine, SLOT) === reports[0]);
  await tezzeret.close();
});

Deno.test("prepare() compiles what may be asked for later, after what is asked for now", async () => {
  const { tezzeret, store } = await service();
  const shapes = [[3, 3, 4], [2, 2, 4], [5, 5, 4]];
  for (const shape of shapes) tezzeret.prepare(findBlueprint("affine"), shape);
  // It does not fit, which nobody hears of who did not ask.
  tezzeret.prepare(conv3, [8]);
  await tezzeret.admit(findBlueprint("affine"), [5, 5, 4]);
  await tezzeret.close();
  const found = shapes.map((shape) => tezzeret.known(findBlueprint("affine"), shape)?.shape ?? null);
  assertEquals(found.at(-1), [5, 5, 4]);
  const records = await store.records.list("kernel");
  assertEquals(records.every(({ state }) => state === "VALIDATED"), true);
  await assertRejects(() => tezzeret.admit(conv3, SLOT), Error, "got a compiler that is closed");
});

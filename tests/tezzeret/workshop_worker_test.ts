/** The workshop on a thread and a device of its own. */
import { assertEquals, assertRejects } from "@std/assert";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { KernelChoices } from "../../src/engine/tune/choices.ts";
import { createWorkerWorkshop, type WorkerOptions } from "../../src/tezzeret/adapters/workshop_worker.ts";
import { BlueprintError } from "../../src/tezzeret/build.ts";
import { BreakerError } from "../../src/tezzeret/breaker.ts";
import { createTezzeret } from "../../src/tezzeret/compiler.ts";
import { findBlueprint } from "../../src/tezzeret/library.ts";
import { createWorkshop, DeviceLostError, type Workshop } from "../../src/tezzeret/workshop.ts";
import { createMemoryStore } from "../../src/urza/memory.ts";
import { UserError } from "../../src/util/errors.ts";
import { openShared } from "../support/devices.ts";
import { stillborn } from "./probe.ts";

const order = { blueprint: findBlueprint("affine"), shape: [4, 4, 4] };

/** Hands a workshop on a thread to `look` and closes it. */
async function withWorker(
  options: Partial<WorkerOptions>,
  look: (workshop: Workshop, gpu: Gpu) => Promise<void>,
): Promise<void> {
  const gpu = (await openShared("native"))!;
  const instead = () => {
    throw new Error("no thread");
  };
  const workshop = createWorkerWorkshop({ adapter: gpu.adapter, instead, ...options });
  try {
    await look(workshop, gpu);
  } finally {
    await workshop.close();
  }
}

Deno.test("createWorkerWorkshop() drafts and finds out what the training thread would, and leaves its device alone", async () => {
  await withWorker({ thorough: true, batch: 4 }, async (far, gpu) => {
    const near = createWorkshop({ gpu, thorough: true, batch: 4 });
    const before = gpu.pipelines.size;
    const draft = await far.draft(order);
    const { elapsed: _, ...report } = { elapsed: 0, ...await far.test(order) };
    assertEquals(gpu.pipelines.size, before);
    assertEquals(draft, await near.draft(order));
    const own = await near.test(order);
    assertEquals([report.errors, report.batchError, report.gradientError], [
      own.errors,
      own.batchError,
      own.gradientError,
    ]);
    assertEquals(report.batchError !== null && report.reference !== null, true);
  });
});

Deno.test("createWorkerWorkshop() compiles and tries kernels on Dawn, beside a device of Dawn's on this thread", async () => {
  const gpu = await openShared("dawn");
  if (!gpu) return;
  const { adapter } = gpu;
  await withWorker({ adapter }, async (workshop) => {
    const before = gpu.pipelines.size;
    const { kernels } = await workshop.draft(order);
    const { noOpError, stillborn, errors, tolerance, costs } = await workshop.test(order);
    assertEquals([noOpError, stillborn, gpu.pipelines.size], [0, [], before]);
    assertEquals(costs.map(({ sha256 }) => sha256), kernels.map(({ sha256 }) => sha256));
    assertEquals(Object.values(errors).every(({ relative }) => relative < tolerance), true);
    assertEquals(kernels.every(({ code }) => code.includes("@compute")), true);
  });
});

Deno.test("createWorkerWorkshop() is heard of while it works", async () => {
  await withWorker({}, async (workshop) => {
    let beats = 0;
    await workshop.test(order, { everyMs: 1, beat: () => void beats++ });
    assertEquals(beats > 0, true);
  });
});

Deno.test("createWorkerWorkshop() passes on that a blueprint does not fit", async () => {
  await withWorker({}, async (workshop) => {
    const vector = { blueprint: findBlueprint("conv3"), shape: [16] };
    await assertRejects(
      () => workshop.draft(vector),
      BlueprintError,
      "node spatial: want an activation [H, W, C]",
    );
  });
});

Deno.test("createWorkerWorkshop() chooses the kernels that it is given", async () => {
  const gpu = (await openShared("native"))!;
  const conv = { ...order, blueprint: findBlueprint("conv3") };
  const choices = new KernelChoices();
  await createWorkshop({ gpu, choose: choices.choose }).draft(conv);
  const key = Object.keys(choices.used).find((name) => name.startsWith("conv2d "))!;
  await withWorker({ variants: { [key]: "none" } }, async (workshop) => {
    const text = `the run's kernels: ${key}: want one of `;
    await assertRejects(() => workshop.draft(conv), UserError, text);
  });
});

Deno.test("createWorkerWorkshop() works on the training thread where a thread gets another adapter, and says why", async () => {
  const gpu = (await openShared("native"))!;
  const reasons: string[] = [];
  const adapter = { ...gpu.adapter, description: "a better one" };
  const onInstead = (reason: string) => void reasons.push(reason);
  await withWorker({ adapter, onInstead, instead: () => createWorkshop({ gpu }) }, async (workshop) => {
    assertEquals((await workshop.test(order)).noOpError, 0);
    await workshop.draft(order);
    assertEquals(reasons, [
      `workshop: want the adapter that trains, a better one, got ${gpu.adapter.description}`,
    ]);
  });
});

const module = new URL("./odd_thread.ts", import.meta.url);

Deno.test("createWorkerWorkshop() gives up a thread that does not answer or crashes, and the next order starts another", async () => {
  await withWorker({ module, timeoutMs: 2000 }, async (workshop) => {
    await assertRejects(() => workshop.test(order), Error, "the thread that compiles has crashed: ");
    await assertRejects(
      () => workshop.draft(order),
      Error,
      "workshop: want an answer within 2000 ms, got none",
    );
    await assertRejects(() => workshop.test(order), Error, "the thread that compiles has crashed: ");
  });
});

Deno.test("createTezzeret() stops asking a workshop that fails again and again, and blames no blueprint", async () => {
  const { adapter } = (await openShared("native"))!;
  const instead = () => {
    throw new Error("no thread");
  };
  const workshop = createWorkerWorkshop({ adapter, instead, module });
  const store = createMemoryStore();
  const tezzeret = createTezzeret({
    adapter,
    // The crash is in the test; drafts come from here.
    workshop: { ...workshop, draft: (what) => near.draft(what) },
    store,
    version: "test",
    leaseMs: 50,
    breaker: { failures: 2, restMs: 60_000 },
  });
  const near = createWorkshop({ gpu: (await openShared("native"))! });
  for (const name of ["affine", "se"]) {
    await assertRejects(() => tezzeret.admit(findBlueprint(name), [4, 4, 4]), Error, "has crashed");
  }
  await assertRejects(
    () => tezzeret.admit(findBlueprint("conv3"), [4, 4, 4]),
    BreakerError,
    "got 2 failures in a row, the last one: workshop: the thread that compiles has crashed: ",
  );
  assertEquals((await store.records.list("kernel", "INVALID")).length, 0);
  await tezzeret.close();
});

const losing = (losses: number) => new URL(`./losing_thread.ts?losses=${losses}`, import.meta.url);

Deno.test("createWorkerWorkshop() opens another device where one is lost, and tries the order there", async () => {
  await withWorker({ module: losing(1) }, async (workshop) => {
    const orders = ["affine", "se"].map((name) =>
      workshop.test({ ...order, blueprint: findBlueprint(name) })
    );
    const reports = await Promise.all(orders);
    assertEquals(reports.map(({ noOpError }) => noOpError), [0, 0]);
  });
});

Deno.test("createTezzeret() does not hold a lost device against the blueprint, not even for a while", async () => {
  await withWorker({ module: losing(2) }, async (workshop, { adapter }) => {
    const store = createMemoryStore();
    const tezzeret = createTezzeret({ adapter, workshop, store, version: "test", leaseMs: 50 });
    await assertRejects(
      () => tezzeret.admit(order.blueprint, order.shape),
      DeviceLostError,
      "workshop: the device was lost: ",
    );
    assertEquals((await store.records.list("kernel", "INVALID")).length, 0);
    assertEquals((await tezzeret.admit(order.blueprint, order.shape)).noOpError, 0);
    await tezzeret.close();
  });
});

Deno.test("createWorkerWorkshop() tells what a blueprint has cost that it refuses", async () => {
  await withWorker({}, async (workshop) => {
    const { spentFlops } = await assertRejects(
      () => workshop.test({ blueprint: stillborn, shape: [4, 4, 4] }),
      BlueprintError,
      "got none for gamma",
    );
    assertEquals(spentFlops > 0, true);
  });
});

Deno.test("createWorkerWorkshop() refuses orders once it is closed", async () => {
  await withWorker({}, async (workshop) => {
    const drafting = workshop.draft(order);
    await workshop.close();
    await assertRejects(() => drafting, Error, "workshop: closed");
    await assertRejects(() => workshop.draft(order), Error, "want an open workshop, got a closed one");
  });
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { createTezzeret, createWorkshop, findBlueprint } from "../../../src/tezzeret/mod.ts";
import { createMemoryStore } from "../../../src/urza/mod.ts";
import { openOwn } from "../../support/devices.ts";

Deno.test("lossReason() says why a device was lost, and of one that was given back that it was not", async () => {
  const gpu = await openOwn("native"), returned = await openOwn("native");
  assertEquals(await gpu.lossReason(), null);
  gpu.device.destroy();
  returned.destroy();
  assert((await gpu.lossReason())!.length > 0);
  assertEquals(await returned.lossReason(), null);
  gpu.destroy();
});

Deno.test("a blueprint is not blamed for a device that was lost, also before word of the loss has come", async () => {
  const gpu = await openOwn("native"), store = createMemoryStore();
  const tezzeret = createTezzeret({
    adapter: gpu.adapter,
    // Nothing has been heard of the loss when the first kernel fails.
    workshop: createWorkshop({ gpu: { ...gpu, check() {} } }),
    store,
    version: "test",
  });
  gpu.device.destroy();
  await assertRejects(() => tezzeret.admit(findBlueprint("conv3"), [4, 4, 4]), Error, "the device was lost");
  assertEquals(await store.records.list("kernel", "INVALID"), []);
  await tezzeret.close();
  gpu.destroy();
});

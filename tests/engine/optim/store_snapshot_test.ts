import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { StoreSnapshot } from "../../../src/engine/optim/store_snapshot.ts";
import { onEachDevice } from "../../support/devices.ts";
import { bitsOf, drawn, numbers, storeWith } from "../../support/store.ts";

const HOST = { host: [["a", [70]], ["b", [5]]] } as const;

onEachDevice(
  "StoreSnapshot.revert() puts values, moments and layout back, as often as asked",
  async (gpu) => {
    const store = await storeWith(gpu, 512, HOST);
    const snapshot = new StoreSnapshot(gpu, store);
    const layout = store.layout, bits = await bitsOf(store);
    snapshot.take();
    for (let time = 0; time < 2; time++) {
      store.remove(["a"]);
      store.add([drawn("seed", [130])], "seed/1");
      store.regroup(["b"], "seed/1");
      store.set("b", new Float32Array(5));
      snapshot.revert();
      assertEquals(store.layout, layout);
      assertEquals(await bitsOf(store), bits);
    }
    snapshot.destroy();
    store.destroy();
  },
);

onEachDevice("StoreSnapshot.read() gives the copy, not the present", async (gpu) => {
  const store = await storeWith(gpu, 256, HOST);
  const snapshot = new StoreSnapshot(gpu, store);
  const layout = store.layout, before = await store.read();
  snapshot.take();
  store.set("b", numbers("new", 5));
  store.add([drawn("c", [1])], "seed/1");
  assertEquals(await snapshot.read(), { layout, numbers: before });
  snapshot.take();
  assertEquals(await snapshot.read(), { layout: store.layout, numbers: await store.read() });
  snapshot.destroy();
  store.destroy();
});

onEachDevice("StoreSnapshot wants a copy taken before it is used", async (gpu) => {
  const store = await storeWith(gpu, 256, HOST);
  const snapshot = new StoreSnapshot(gpu, store);
  assertThrows(() => snapshot.revert(), Error, "snapshot: want one taken before, got none");
  await assertRejects(() => snapshot.read(), Error, "snapshot: want one taken before, got none");
  snapshot.destroy();
  store.destroy();
});

import { assert, assertEquals } from "@std/assert";
import { weightsHash } from "../../src/app/checkpoint.ts";
import { openShared } from "../support/devices.ts";
import { NEVER, openSession, tinyConfig } from "../support/session.ts";

/** Weights after ten steps, losses on the way and the groups of the host. */
async function trained(slots: readonly string[], clip: number) {
  const config = tinyConfig("points", {
    host: { kind: "mlp", hidden: [8, 8, 8, 8] },
    growth: { slots },
    train: { optimizer: { clip } },
  });
  const session = await openSession((await openShared("native"))!, config);
  await session.start(false);
  await session.trainer.run(NEVER, 10);
  const { store } = session.trainer.parts;
  const groups = store.groups.filter((group) => group?.startsWith("host")).length;
  const numbers = await store.read();
  const places = store.layout.places.map((place) => ({ ...place, group: "host" }));
  const hash = await weightsHash({ layout: { groups: ["host"], places }, numbers } as never);
  const { losses } = session.trainer.progress;
  await session.destroy();
  return { hash, losses, groups };
}

Deno.test("a host is clipped by the norm of all its gradients, the same bits with one slot and with four", async () => {
  const one = await trained(["layer1"], 0.05), four = await trained(["layer*"], 0.05);
  assertEquals([one.groups, four.groups], [2, 5]);
  assertEquals(four.losses, one.losses);
  assertEquals(four.hash, one.hash);
  assert((await trained(["layer1"], 0)).hash !== one.hash, "the limit was never met");
});

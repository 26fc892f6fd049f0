/** What the worker does, without a worker. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Action } from "../../src/contracts/control.ts";
import { IMAGE_SIDE, type OwnImages } from "../../src/web/protocol.ts";
import { testRandom } from "../support/values.ts";
import { createVisitor } from "./visitor.ts";

const SMALL = "hidden=4&turns=0.75&noise=0.02&rate=0.03&ramp=2&batch=32&tick=10&arms=2";

Deno.test("a tick trains the network and its twin, and tells how they stand", async () => {
  await using visitor = createVisitor();
  const fresh = await visitor.start(`${SMALL}&twin=yes&controller=off`);
  assertEquals([fresh.tick, fresh.slots.map(({ stage }) => stage)], [0, ["DORMANT"]]);
  assertEquals(fresh.validation, fresh.twin!.validation);
  const later = await visitor.train(2);
  assertEquals([later.tick, later.step], [2, 20]);
  // Nothing has grown: both are the same network to the bit, and so to every digit of what is told.
  assertEquals([later.twin!.flops, later.twin!.controlLoss], [later.flops, later.controlLoss]);
  assertEquals(later.twin!.validation, later.validation);
  assert(later.validation!.loss < fresh.validation!.loss);
  const { map } = visitor.last("boundary");
  assertEquals([map.classes.length, map.sure.length], [map.side ** 2, map.side ** 2]);
  assert(map.sure.every((sure) => sure >= 127), "of two classes the likelier has half at least");
});

Deno.test("what is asked for is done at the next tick, and costs the twin as much in steps", async () => {
  await using visitor = createVisitor();
  await visitor.start(`${SMALL}&twin=yes&controller=off`);
  const fresh = await visitor.train(1), { legal } = fresh;
  const sow = legal.find((action) => action.kind === "germinate" && action.blueprint === "mlp")!;
  visitor.send({ kind: "ask", action: sow });
  assertEquals(
    (await visitor.next("snapshot", ({ snapshot }) => snapshot.asked !== null)).snapshot.asked,
    sow,
  );
  const sown = await visitor.train(1);
  assertEquals([sown.slots[0].stage, sown.slots[0].blueprint, sown.asked], ["GERMINATED", "mlp", null]);
  const later = await visitor.train(3);
  assertEquals(later.slots[0].stage, "TRAINING");
  assertEquals(later.slots[0].next, {
    action: { kind: "advance", slot: "layer1" },
    refusal: { reason: "too_early", evidence: later.slots[0].next!.refusal!.evidence },
  });
  const twin = later.twin!, tickFlops = fresh.flops;
  assert(
    twin.flops >= later.flops && twin.flops < later.flops + tickFlops,
    `${twin.flops} of ${later.flops}`,
  );
  assert(later.flops > 4.5 * tickFlops, "a seed costs something");
  assertEquals(later.grown.params, 22 + 4 * 2 + 4 * 8 + 8 + 8 * 4 + 4 + 4);
});

Deno.test("a request that is taken back is not carried out", async () => {
  await using visitor = createVisitor();
  const { legal } = await visitor.start(`${SMALL}&twin=no&controller=off`);
  visitor.send({ kind: "ask", action: legal.find(({ kind }) => kind === "germinate") as Action });
  visitor.send({ kind: "ask", action: null });
  assertEquals((await visitor.train(1)).slots[0].stage, "DORMANT");
});

Deno.test("a network that was saved goes on where it was, with the policy that was learned", async () => {
  await using visitor = createVisitor();
  await visitor.start(`${SMALL}&twin=no&controller=off`);
  const trained = await visitor.train(3);
  visitor.send({ kind: "export" });
  const { bytes, name } = await visitor.next("exported");
  assertEquals(name, "esper-spirals-step-30.safetensors");
  const opened = await visitor.start(`${SMALL}&twin=no&controller=gnn`, { network: bytes });
  assertEquals([opened.step, opened.validation!.accuracy], [0, trained.validation!.accuracy]);
  const later = await visitor.train(1);
  assert(later.controlLoss! < 0.9 * Math.log(2), "it has not begun from nothing");
  await assertRejects(
    () => visitor.start(SMALL.replace("arms=2", "arms=3"), { network: bytes }),
    Error,
    "want a network for examples [2] of 3 classes",
  );
});

Deno.test("where the device is lost, training goes on with another from the last tick", async () => {
  await using visitor = createVisitor();
  await visitor.start(`${SMALL}&twin=yes&controller=off`);
  const before = await visitor.train(2);
  visitor.gpu.device.destroy();
  const after = await visitor.train(1);
  assertEquals(after.step, before.step + 10);
  const lines = visitor.told.flatMap((message) => message.kind === "line" ? [message.text] : []);
  assert(lines.some((line) => line.startsWith("the GPU device was lost")), lines.join("\n"));
  assert(lines.includes("training goes on from step 20"), lines.join("\n"));
  assertEquals(after.controlLoss, await undisturbed());
});

/** Control loss after three ticks of the same run on a device that stays. */
async function undisturbed(): Promise<number | null> {
  await using visitor = createVisitor();
  await visitor.start(`${SMALL}&twin=no&controller=off`);
  return (await visitor.train(3)).controlLoss;
}

Deno.test("digits train, mistakes are shown, and a drawing is answered", async () => {
  await using visitor = createVisitor();
  const setup = "data=digits&controller=off&twin=no&channels=4&tick=5&batch=32";
  const fresh = await visitor.start(setup);
  const { mistakes, wrong, of } = visitor.last("mistakes");
  assertEquals([of, mistakes.length, mistakes[0].pixels.length], [600, 24, 14 * 14]);
  assertEquals(wrong / of, 1 - fresh.validation!.accuracy);
  assert((await visitor.train(1)).validation!.loss < fresh.validation!.loss);
  visitor.send({ kind: "classify", pixels: new Float32Array(14 * 14) });
  const { probabilities } = await visitor.next("answer");
  assertEquals(probabilities.length, 10);
  assert(Math.abs(probabilities.reduce((sum, p) => sum + p, 0) - 1) < 1e-5);
});

Deno.test("images of one's own are told apart by their colour in a few ticks", async () => {
  await using visitor = createVisitor();
  const count = 60, random = testRandom("own images"), size = IMAGE_SIDE ** 2;
  const labels = Uint8Array.from({ length: count }, (_, k) => k % 2);
  const images: OwnImages = {
    classes: ["reddish", "bluish"],
    labels,
    pixels: Uint8Array.from({ length: count * size * 3 }, (_, i) => {
      const warm = i % 3 === (labels[Math.floor(i / 3 / size)] ? 2 : 0);
      return 60 + 60 * random() + (warm ? 60 : 0);
    }),
  };
  const setup = "data=images&controller=off&twin=no&channels=4&tick=10&batch=16&rate=0.03";
  await visitor.start(setup, { images });
  assertEquals((await visitor.train(3)).validation!.accuracy, 1);
  const few = { ...images, labels: labels.subarray(0, 6), pixels: images.pixels.subarray(0, 6 * size * 3) };
  await assertRejects(
    () => visitor.start(setup, { images: few as OwnImages }),
    Error,
    "want at least 20 in two buckets or more, got 6 in 2",
  );
});

Deno.test("pausing ends the tick early; training goes on to its end", async () => {
  await using visitor = createVisitor();
  await visitor.start(`${SMALL.replace("tick=10", "tick=500")}&twin=no&controller=off`);
  visitor.send({ kind: "train", ticks: Infinity });
  await visitor.next("state", ({ state }) => state === "training");
  setTimeout(() => visitor.send({ kind: "pause" }), 30);
  await visitor.next("state", ({ state }) => state === "paused");
  const { tick, step } = await visitor.train(1);
  assertEquals([tick, step], [1, 500]);
});

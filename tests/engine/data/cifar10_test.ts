import { assertEquals, assertRejects } from "@std/assert";
import { parseCifar10 } from "../../../src/engine/data/cifar10.ts";
import { sha256OfParts } from "../../../src/engine/data/dataset.ts";
import { UserError } from "../../../src/util/errors.ts";
import { tinyCifar10 } from "../../support/tiny_cifar10.ts";

Deno.test("parseCifar10() turns planes into u8 [count, 32, 32, 3], five files of training and one of test", async () => {
  const files = tinyCifar10(3), dataset = await parseCifar10(files, 3);
  assertEquals(dataset.shape, [32, 32, 3]);
  assertEquals(dataset.classes.length, 10);
  assertEquals([dataset.train.count, dataset.test.count], [15, 3]);
  assertEquals(Array.from(dataset.train.labels), [0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5, 4, 5, 6]);
  assertEquals(Array.from(dataset.test.labels), [5, 6, 7]);
  const record = 4, pixel = 40, at = (record * 1024 + pixel) * 3; // record 1 of file 1
  assertEquals(Array.from(dataset.train.data.subarray(at, at + 3)), [42, 92, 142]);
  assertEquals(dataset.test.data.length, 3 * 3072);
  assertEquals(dataset.sha256, await sha256OfParts(files.map(({ bytes }) => bytes)));
});

Deno.test("parseCifar10() names a file of another size, with wanted and found", async () => {
  const files = tinyCifar10(2);
  files[3] = { name: "data_batch_4.bin", bytes: files[3].bytes.slice(0, 5000) };
  await assertRejects(
    () => parseCifar10(files, 2),
    UserError,
    "data_batch_4.bin: want 6146 bytes (2 records of 3073), got 5000 (1 records and 1927 bytes); " +
      "get the file again from cifar-10-binary.tar.gz",
  );
});

Deno.test("parseCifar10() wants 10,000 records a file unless told otherwise", async () => {
  await assertRejects(
    () => parseCifar10(tinyCifar10(2)),
    UserError,
    "data_batch_1.bin: want 30730000 bytes (10000 records of 3073), got 6146 (2 records and 0 bytes)",
  );
});

Deno.test("parseCifar10() names the file and record of a label above 9", async () => {
  const files = tinyCifar10(2);
  files[5].bytes[3073] = 10;
  await assertRejects(
    () => parseCifar10(files, 2),
    UserError,
    "test_batch.bin: want labels 0 to 9, got 10 in record 1; get the file again",
  );
});

Deno.test("parseCifar10() wants all six files", async () => {
  await assertRejects(() => parseCifar10(tinyCifar10(1).slice(1), 1), UserError, "cifar10: want 6 files");
});

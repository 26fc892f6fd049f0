import { assertEquals, assertRejects } from "@std/assert";
import { parseFashionMnist } from "../../../src/engine/data/fashion_mnist.ts";
import { parseIdx } from "../../../src/engine/data/idx.ts";
import { UserError } from "../../../src/util/errors.ts";
import { gzip, idxBytes, tinyFashionMnist } from "../../support/tiny_fashion_mnist.ts";

Deno.test("parseIdx() reads shape and elements, gzipped or not", async () => {
  const bytes = idxBytes([2, 3], [1, 2, 3, 4, 5, 6]);
  for (const file of [{ name: "plain", bytes }, { name: "packed", bytes: await gzip(bytes) }]) {
    const { shape, data } = await parseIdx(file);
    assertEquals(shape, [2, 3]);
    assertEquals(Array.from(data), [1, 2, 3, 4, 5, 6]);
  }
});

Deno.test("parseIdx() says what is wrong with a broken file", async () => {
  const good = idxBytes([2, 3], [1, 2, 3, 4, 5, 6]), packed = await gzip(good);
  const floats = good.slice();
  floats[2] = 0x0d;
  const cases: [Uint8Array<ArrayBuffer>, string][] = [
    [
      new Uint8Array(0),
      "f: want an IDX file, which begins with 00 00, got an empty file; get the file again",
    ],
    [new TextEncoder().encode("<html>"), "f: want an IDX file, which begins with 00 00, got 3c 68 74 6d;"],
    [floats, "f: want unsigned bytes (type 08), got type 0d;"],
    [good.slice(0, 9), "f: want a header of 12 bytes, got 9 bytes;"],
    [good.slice(0, 16), "f: want 18 bytes for [2, 3], got 16;"],
    [packed.slice(0, packed.length - 9), `f: want a whole gzip file, got ${packed.length - 9} bytes (`],
  ];
  for (const [bytes, message] of cases) {
    await assertRejects(() => parseIdx({ name: "f", bytes }), UserError, message);
  }
});

Deno.test("parseFashionMnist() makes u8 [count, 28, 28, 1] of the four files", async () => {
  const dataset = await parseFashionMnist(await tinyFashionMnist(4, 2));
  assertEquals(dataset.shape, [28, 28, 1]);
  assertEquals([dataset.train.count, dataset.test.count], [4, 2]);
  assertEquals(dataset.train.data.length, 4 * 784);
  assertEquals(dataset.train.data[785], 1);
  assertEquals(Array.from(dataset.train.labels), [0, 1, 2, 3]);
});

Deno.test("parseFashionMnist() names the file whose shape, count or label is wrong", async () => {
  const files = await tinyFashionMnist(4, 2);
  const broken = (i: number, bytes: Uint8Array<ArrayBuffer>) =>
    files.map((file, f) => f === i ? { ...file, bytes } : file);
  const cases: [number, Uint8Array<ArrayBuffer>, string][] = [
    [
      0,
      idxBytes([1, 2, 2], [1, 2, 3, 4]),
      "train-images-idx3-ubyte.gz: want images [count, 28, 28], got [1, 2, 2]",
    ],
    [
      1,
      idxBytes([3], [1, 2, 3]),
      "train-labels-idx1-ubyte.gz: want [4] as train-images-idx3-ubyte.gz has images, got [3]",
    ],
    [
      3,
      idxBytes([2], [1, 12]),
      "t10k-labels-idx1-ubyte.gz: want labels 0 to 9, got 12 at 1; get the file again",
    ],
  ];
  for (const [i, bytes, message] of cases) {
    await assertRejects(() => parseFashionMnist(broken(i, bytes)), UserError, message);
  }
  await assertRejects(() => parseFashionMnist(files.slice(1)), UserError, "fashion-mnist: want 4 files");
});

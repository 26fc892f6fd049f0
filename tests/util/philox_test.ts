import { assertEquals } from "@std/assert";
import { philox, randomWords, type Words } from "../../src/util/philox.ts";

// Known answers for philox4x32-10, from kat_vectors of the authors' Random123 library.
const known: readonly [counter: Words, key: [number, number], result: Words][] = [
  [[0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

Deno.test("philox() gives the known answers of its authors", () => {
  for (const [counter, key, result] of known) assertEquals(philox(counter, key), result);
});

Deno.test("randomWords() is a prefix of a longer draw and differs by seed, stream and step", () => {
  const words = randomWords(10, 1, 2, 3);
  assertEquals([...randomWords(7, 1, 2, 3)], [...words.slice(0, 7)]);
  const others = [randomWords(10, 2, 2, 3), randomWords(10, 1, 3, 3), randomWords(10, 1, 2, 4)];
  const all = [words, ...others].flatMap((draw) => [...draw]);
  assertEquals(new Set(all).size, 40);
});

Deno.test("randomWords() is uniform: 16 bins of 8192 words stay within 5 standard deviations", () => {
  const bins = new Array<number>(16).fill(0);
  for (const word of randomWords(8192, 5, 0, 0)) bins[word >>> 28]++;
  const deviation = Math.sqrt(8192 / 16 * 15 / 16);
  assertEquals(bins.filter((count) => Math.abs(count - 512) > 5 * deviation), []);
});

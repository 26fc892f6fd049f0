import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { readSafetensors, type SafeTensor, writeSafetensors } from "../../../src/engine/io/safetensors.ts";
import { UserError } from "../../../src/util/errors.ts";

const CURE = "; write or fetch the file again";

/** A file with this header text and data, whatever they say. */
function fileOf(
  header: string,
  data: readonly number[] = [],
  length = header.length,
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const entry = (dtype: string, shape: readonly number[], offsets: readonly number[]) =>
  JSON.stringify({ w: { dtype, shape, data_offsets: offsets } });

const sample = {
  tensors: {
    w: { shape: [2, 3], data: new Float32Array([1, -2, 3.5, NaN, -Infinity, -0]) },
    labels: { shape: [2], data: new Uint32Array([7, 0xffffffff]) },
    offsets: { shape: [1], data: new Int32Array([-5]) },
    step: { shape: [], data: new BigInt64Array([-(2n ** 62n)]) },
    nothing: { shape: [0, 4], data: new Float32Array(0) },
    ["__proto__"]: { shape: [1], data: new Float32Array([9]) },
  },
  metadata: { made: "by hand", "ключ": "значение" },
};

Deno.test("readSafetensors() gives back what writeSafetensors() took", () => {
  const { tensors, metadata } = readSafetensors(writeSafetensors(sample), "f");
  assertEquals(metadata, sample.metadata);
  for (const [name, { shape, data }] of Object.entries(sample.tensors)) {
    assertEquals(tensors[name], { shape, data }, name);
  }
  assertEquals(Object.keys(tensors).length, 6);
});

Deno.test("readSafetensors() gives back any floats bit for bit, from any offset of a buffer", () => {
  const bits = fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 9 });
  fc.assert(
    fc.property(fc.dictionary(fc.string(), bits, { maxKeys: 4 }), fc.nat(7), (dictionary, shift) => {
      const tensors = Object.fromEntries(
        Object.entries(dictionary).filter(([name]) => name !== "__metadata__").map(([name, words]) => {
          const data = new Float32Array(Uint32Array.from(words).buffer);
          return [name, { shape: [words.length], data }] as [string, SafeTensor];
        }),
      );
      const bytes = writeSafetensors({ tensors, metadata: {} });
      const moved = new Uint8Array(bytes.length + shift);
      moved.set(bytes, shift);
      const read = readSafetensors(moved.subarray(shift), "f").tensors;
      assertEquals(Object.keys(read).sort(), Object.keys(tensors).sort());
      for (const [name, { data }] of Object.entries(tensors)) {
        assertEquals(new Uint32Array(read[name].data.buffer), new Uint32Array(data.buffer));
      }
    }),
  );
});

Deno.test("writeSafetensors() writes the format's bytes, header padded to 8 with spaces", () => {
  const bytes = writeSafetensors({
    tensors: { w: { shape: [1], data: new Float32Array([1]) } },
    metadata: {},
  });
  const header = '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
  assert(padded.length > header.length);
  assertEquals(bytes, fileOf(padded, [0, 0, 0x80, 0x3f]));
});

Deno.test("writeSafetensors() puts wide elements first, so that all are aligned", () => {
  const tensors = {
    narrow: { shape: [1], data: new Uint32Array([1]) },
    wide: { shape: [1], data: new BigInt64Array([2n]) },
  };
  const bytes = writeSafetensors({ tensors, metadata: {} });
  assertEquals([...bytes.slice(-12)], [2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
});

Deno.test("writeSafetensors() refuses data of another size than the shape", () => {
  assertThrows(
    () => writeSafetensors({ tensors: { w: { shape: [2, 2], data: new Float32Array(3) } }, metadata: {} }),
    RangeError,
    'writeSafetensors: want 4 elements for "w" [2, 2], got 3',
  );
});

Deno.test("readSafetensors() says what is wrong with a broken file", () => {
  const two = (a: readonly number[], b: readonly number[]) =>
    JSON.stringify({
      a: { dtype: "F32", shape: [1], data_offsets: a },
      b: { dtype: "F32", shape: [1], data_offsets: b },
    });
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(5), "want a header length of 8 bytes, got 5 bytes"],
    [fileOf("{}", [], 200_000_000), "want a header of at most 100000000 bytes, got 200000000"],
    [fileOf("{}", [], 64), "want a header of 64 bytes, got 2 bytes"],
    [fileOf("{w}"), "want a header in JSON, got "],
    [fileOf("[1]"), "want a JSON object as header, got [1]"],
    [fileOf('{"__metadata__":{"a":1}}'), 'want texts in __metadata__, got {"a":1}'],
    [fileOf('{"w":3}'), 'want tensor "w" to have dtype F32, I32, U32, I64, got none'],
    [
      fileOf(entry("F16", [2], [0, 4]), [0, 0, 0, 0]),
      'want tensor "w" to have dtype F32, I32, U32, I64, got "F16"',
    ],
    [fileOf(entry("F32", [-1], [0, 4])), 'want tensor "w" to have a shape, got [-1]'],
    [fileOf(entry("F32", [1], [0])), 'want tensor "w" to have two data_offsets, got [0]'],
    [
      fileOf(entry("F32", [1, 3], [0, 8]), Array(8).fill(0)),
      'want 12 bytes for tensor "w", F32 [1, 3], got 8',
    ],
    [
      fileOf(two([0, 4], [2, 6]), Array(6).fill(0)),
      'want tensor "b" at byte 4 of the data, no gap, no overlap, got 2',
    ],
    [
      fileOf(two([8, 12], [0, 4]), Array(12).fill(0)),
      'want tensor "a" at byte 4 of the data, no gap, no overlap, got 8',
    ],
    [fileOf(entry("F32", [2], [0, 8]), [0, 0, 0, 0, 0]), "want 8 bytes of data, got 5"],
    [fileOf(entry("F32", [1], [0, 4]), [0, 0, 0, 0, 0]), "want 4 bytes of data, got 5"],
  ];
  for (const [bytes, message] of cases) {
    const error = assertThrows(() => readSafetensors(bytes, "f"), UserError, `f: ${message}`);
    assert(error.message.endsWith(CURE), error.message);
  }
});

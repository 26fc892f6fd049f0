import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { packBytes } from "../../../src/engine/data/pack.ts";

Deno.test("packBytes() puts byte i at bit 8 (i mod 4) of word i / 4 and pads with zeros", () => {
  assertEquals(packBytes(Uint8Array.of(1, 2, 3, 4, 255)), Uint32Array.of(0x04030201, 0xff));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    const words = packBytes(bytes);
    assertEquals(words.length, Math.ceil(bytes.length / 4));
    bytes.forEach((byte, i) => assertEquals(words[i >> 2] >>> (8 * (i & 3)) & 255, byte));
  }));
});

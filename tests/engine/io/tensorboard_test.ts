import { assertEquals } from "@std/assert";
import { encodeFileVersion, encodeScalars, maskedCrc32c } from "../../../src/engine/io/tensorboard.ts";

type Field = { field: number; wire: number; value: number; bytes: Uint8Array };

/** Fields of a protobuf message, by the specification's text alone. */
function decode(data: Uint8Array): Field[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength), fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let power = 1;; power *= 128) {
      const byte = data[at++];
      value += (byte & 127) * power;
      if (byte < 128) return value;
    }
  };
  while (at < data.length) {
    const key = varint(), field = key >>> 3, wire = key & 7;
    const size = { 0: 0, 1: 8, 5: 4 }[wire] ?? varint();
    const value = wire === 0
      ? varint()
      : wire === 1
      ? view.getFloat64(at, true)
      : wire === 5
      ? view.getFloat32(at, true)
      : NaN;
    fields.push({ field, wire, value, bytes: data.subarray(at, at + size) });
    at += size;
  }
  return fields;
}

/** Data of the frames of a TFRecord file, checksums checked. */
function framesOf(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer), frames: Uint8Array[] = [];
  for (let at = 0; at < file.length;) {
    const size = Number(view.getBigUint64(at, true)), data = file.subarray(at + 12, at + 12 + size);
    assertEquals(view.getUint32(at + 8, true), maskedCrc32c(file.subarray(at, at + 8)));
    assertEquals(view.getUint32(at + 12 + size, true), maskedCrc32c(data));
    frames.push(data);
    at += 16 + size;
  }
  return frames;
}

const asText = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("maskedCrc32c() is CRC-32C (RFC 3720, B.4: 123456789 has e3069283), turned and shifted", () => {
  const crc = 0xe3069283;
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  assertEquals(maskedCrc32c(new TextEncoder().encode("123456789")), masked);
});

Deno.test("an event file holds the version, then steps with their tags and numbers", () => {
  const events = [
    { step: 0, time: 1700000000.25, scalars: { "policy/kl": 0.125, "return/mean": -3 } },
    { step: 300, time: 1700000001, scalars: { "policy/kl": NaN } },
  ];
  const parts = [encodeFileVersion(1700000000), ...events.map(encodeScalars)];
  const file = Uint8Array.from(parts.flatMap((part) => [...part]));
  const [version, ...steps] = framesOf(file).map(decode);

  assertEquals(version.map(({ field }) => field), [1, 3]);
  assertEquals([version[0].value, asText(version[1].bytes)], [1700000000, "brain.Event:2"]);
  const read = steps.map(([time, step, summary]) => {
    assertEquals([time.field, step.field, summary.field], [1, 2, 5]);
    const values = decode(summary.bytes).map(({ field, bytes }) => {
      const [tag, value] = decode(bytes);
      assertEquals([field, tag.field, value.field], [1, 1, 2]);
      return [asText(tag.bytes), value.value];
    });
    return { step: step.value, time: time.value, scalars: Object.fromEntries(values) };
  });
  assertEquals(read, events);
});

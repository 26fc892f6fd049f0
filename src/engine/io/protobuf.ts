/** Fields of protobuf messages (https://protobuf.dev/programming-guides/encoding). */

/** Encoded fields. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The parts, one after the other. */
export function join(parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A base-128 number, lowest seven bits first. */
function varint(value: number): Bytes {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
  return Uint8Array.of(...bytes, value);
}

/** A field of a whole number, not negative. */
export const integer = (field: number, value: number) => join([varint(field * 8), varint(value)]);
/** A field of bytes. */
export const bytes = (field: number, value: Bytes) =>
  join([varint(field * 8 + 2), varint(value.length), value]);
/** A field of UTF-8. */
export const text = (field: number, value: string) => bytes(field, new TextEncoder().encode(value));
/** A field of a message with these fields. */
export const message = (field: number, ...parts: readonly Bytes[]) => bytes(field, join(parts));

/** A field of 32 bits. */
export function float(field: number, value: number): Bytes {
  const data = new Uint8Array(5);
  data[0] = field * 8 + 5;
  new DataView(data.buffer).setFloat32(1, value, true);
  return data;
}

/** A field of 64 bits. */
export function double(field: number, value: number): Bytes {
  const data = new Uint8Array(9);
  data[0] = field * 8 + 1;
  new DataView(data.buffer).setFloat64(1, value, true);
  return data;
}

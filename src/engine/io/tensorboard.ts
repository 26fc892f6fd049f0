/** TensorBoard's event files: TFRecord frames of `Event` messages (tensorflow/core/util/event.proto). */
import { type Bytes, bytes, double, float, integer, join, message, text } from "./protobuf.ts";

/** Numbers of one step, by tag such as `policy/kl`. */
export interface ScalarEvent {
  readonly step: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly scalars: Readonly<Record<string, number>>;
}

/** CRC-32C, Castagnoli's polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78, MASK = 0xa282ead8;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

/** CRC-32C as TFRecords hold it: turned by 15 bits, and a constant added (tensorflow/core/lib/hash/crc32c.h). */
export function maskedCrc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + MASK) >>> 0;
}

/** Length (u64), its checksum, the data, their checksum. */
function frame(data: Bytes): Bytes {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(data.length), true);
  return join([length, checksum(length), data, checksum(data)]);
}

function checksum(data: Bytes): Bytes {
  const sum = new Uint8Array(4);
  new DataView(sum.buffer).setUint32(0, maskedCrc32c(data), true);
  return sum;
}

/** What an event file begins with; `time` in seconds since 1970. */
export function encodeFileVersion(time: number): Bytes {
  return frame(join([double(1, time), text(3, "brain.Event:2")]));
}

/** One step's scalars, to be appended to an event file. Numbers become float32; what is not finite is kept so. */
export function encodeScalars({ step, time, scalars }: ScalarEvent): Bytes {
  const values = Object.entries(scalars).map(([tag, value]) => join([text(1, tag), float(2, value)]));
  return frame(join([
    double(1, time),
    integer(2, step),
    message(5, ...values.map((value) => bytes(1, value))),
  ]));
}

import { UserError } from "../../util/errors.ts";
import type { SourceFile } from "./dataset.ts";
import { gunzip } from "./gunzip.ts";

/** Contents of an IDX file of unsigned bytes: `data` has the product of `shape` elements, outermost dimension first. */
export interface IdxArray {
  shape: number[];
  data: Uint8Array<ArrayBuffer>;
}

const TYPE_U8 = 0x08;

/**
 * Reads an IDX file of unsigned bytes (http://yann.lecun.com/exdb/mnist): two zero bytes, the element type, the rank,
 * one big-endian u32 a dimension, the elements. Gzipped bytes are unpacked first.
 *
 * @throws where the gzip stream, the magic, the element type or the length is wrong.
 */
export async function parseIdx(file: SourceFile): Promise<IdxArray> {
  const bytes = await gunzip(file);
  const broken = (want: string, got: string) =>
    new UserError(`${file.name}: want ${want}, got ${got}; get the file again`);
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) {
    const head = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw broken("an IDX file, which begins with 00 00", bytes.length === 0 ? "an empty file" : head);
  }
  if (bytes[2] !== TYPE_U8) {
    throw broken("unsigned bytes (type 08)", `type ${bytes[2].toString(16).padStart(2, "0")}`);
  }
  const rank = bytes[3], header = 4 + 4 * rank;
  if (bytes.length < header) throw broken(`a header of ${header} bytes`, `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shape = Array.from({ length: rank }, (_, d) => view.getUint32(4 + 4 * d));
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  if (bytes.length !== header + size) {
    throw broken(`${header + size} bytes for [${shape.join(", ")}]`, `${bytes.length}`);
  }
  return { shape, data: bytes.subarray(header) };
}

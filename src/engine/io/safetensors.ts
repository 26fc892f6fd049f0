import { UserError } from "../../util/errors.ts";
import { formatShape, type Shape, sizeOf } from "../../util/shape.ts";
import { parseJson } from "../../util/json.ts";

/** Element types that are read and written, by their names in the file. */
const ARRAYS = { F32: Float32Array, I32: Int32Array, U32: Uint32Array, I64: BigInt64Array } as const;

type DType = keyof typeof ARRAYS;
/** Elements of a tensor in a file: F32, I32, U32 or I64. */
export type SafeArray =
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>;

/** A named tensor of a file: row-major elements, outermost dimension first. */
export interface SafeTensor {
  /** Sizes, outermost dimension first. */
  readonly shape: Shape;
  /** As many elements as the shape has. */
  readonly data: SafeArray;
}

/** What a file holds. */
export interface SafeTensors {
  /** By name. */
  readonly tensors: Readonly<Record<string, SafeTensor>>;
  /** Free texts of the writer. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes of the length that stands before the header. */
const PREFIX = 8;
/** Longest header that readers accept. */
const MAX_HEADER = 100_000_000;
const METADATA = "__metadata__";

/**
 * Reads a safetensors file (https://github.com/huggingface/safetensors#format): a little-endian u64 header length, the
 * header in JSON, the elements. The elements are copied, so that they are aligned and outlive `bytes`.
 *
 * @param name What errors call the file.
 * @throws {UserError} if the file is cut short, the header is not as the format says, the tensors overlap or leave gaps,
 * or an element type is not F32, I32, U32 or I64.
 *
 * @example
 * ```ts
 * import { readSafetensors, writeSafetensors } from "./safetensors.ts";
 * const bytes = writeSafetensors({ tensors: { w: { shape: [2], data: new Float32Array([1, 2]) } }, metadata: {} });
 * if (readSafetensors(bytes, "w.safetensors").tensors.w.data[1] !== 2) throw new Error();
 * ```
 */
export function readSafetensors(bytes: Uint8Array, name: string): SafeTensors {
  const broken = (want: string, got: string | number) =>
    new UserError(`${name}: want ${want}, got ${got}; write or fetch the file again`);
  if (bytes.length < PREFIX) throw broken("a header length of 8 bytes", `${bytes.length} bytes`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER) throw broken(`a header of at most ${MAX_HEADER} bytes`, length);
  const start = PREFIX + length;
  if (bytes.length < start) throw broken(`a header of ${length} bytes`, `${bytes.length - PREFIX} bytes`);
  const header = parseHeader(bytes.subarray(PREFIX, start), broken);

  let end = 0;
  for (const { key, dtype, shape, offsets: [from, to] } of header.tensors) {
    const size = sizeOf(shape) * ARRAYS[dtype].BYTES_PER_ELEMENT;
    if (to - from !== size) {
      throw broken(`${size} bytes for tensor "${key}", ${dtype} ${formatShape(shape)}`, to - from);
    }
    if (from !== end) throw broken(`tensor "${key}" at byte ${end} of the data, no gap, no overlap`, from);
    end = to;
  }
  if (bytes.length !== start + end) throw broken(`${end} bytes of data`, bytes.length - start);
  const tensors = header.tensors.map(({ key, dtype, shape, offsets: [from, to] }) => {
    const data: SafeArray = new ARRAYS[dtype](
      Uint8Array.from(bytes.subarray(start + from, start + to)).buffer,
    );
    return [key, { shape, data }] as const;
  });
  return { tensors: Object.fromEntries(tensors), metadata: header.metadata };
}

/** Writes a safetensors file; the header is padded with spaces so that the elements are aligned to 8 bytes. */
export function writeSafetensors({ tensors, metadata }: SafeTensors): Uint8Array<ArrayBuffer> {
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [[METADATA, metadata]] : [];
  // Wide elements first: each tensor then begins at a multiple of its element size.
  const entries = Object.entries(tensors)
    .sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  let end = 0;
  for (const [name, { shape, data }] of entries) {
    if (sizeOf(shape) !== data.length) {
      throw new RangeError(
        `writeSafetensors: want ${sizeOf(shape)} elements for "${name}" ${
          formatShape(shape)
        }, got ${data.length}`,
      );
    }
    header.push([name, { dtype: dtypeOf(data), shape, data_offsets: [end, end + data.byteLength] }]);
    end += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const start = Math.ceil((PREFIX + text.length) / 8) * 8;
  const bytes = new Uint8Array(start + end).fill(0x20, PREFIX, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - PREFIX), true);
  bytes.set(text, PREFIX);
  let at = start;
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

function dtypeOf(data: SafeArray): DType {
  return (Object.keys(ARRAYS) as DType[]).find((dtype) => data instanceof ARRAYS[dtype])!;
}

interface Entry {
  readonly key: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly offsets: readonly [number, number];
}

type Broken = (want: string, got: string | number) => UserError;

/** Metadata and tensors, those in the order of their elements. */
function parseHeader(
  bytes: Uint8Array,
  broken: Broken,
): { tensors: Entry[]; metadata: Record<string, string> } {
  let header: unknown;
  try {
    header = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw broken("a header in JSON", (error as Error).message);
  }
  if (!isRecord(header)) throw broken("a JSON object as header", JSON.stringify(header));
  const { [METADATA]: metadata = {}, ...tensors } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw broken(`texts in ${METADATA}`, JSON.stringify(metadata));
  }
  return {
    metadata: metadata as Record<string, string>,
    tensors: Object.entries(tensors)
      .map(([key, entry]) => parseEntry(key, entry, broken))
      .sort((a, b) => a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1]),
  };
}

function parseEntry(key: string, entry: unknown, broken: Broken): Entry {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  if (typeof dtype !== "string" || !Object.hasOwn(ARRAYS, dtype)) {
    throw broken(
      `tensor "${key}" to have dtype ${Object.keys(ARRAYS).join(", ")}`,
      JSON.stringify(dtype) ?? "none",
    );
  }
  if (!areSizes(shape)) throw broken(`tensor "${key}" to have a shape`, JSON.stringify(shape) ?? "none");
  if (!areSizes(offsets) || offsets.length !== 2) {
    throw broken(`tensor "${key}" to have two data_offsets`, JSON.stringify(offsets) ?? "none");
  }
  return { key, dtype: dtype as DType, shape, offsets: [offsets[0], offsets[1]] };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function areSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

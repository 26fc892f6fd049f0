/** The messages of an ONNX file, as protobuf (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). */
import { type Bytes, bytes, float, integer, join, message, text } from "./protobuf.ts";

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>;
}

/** A number is written as an integer, `{ float }` as a float. */
export type OnnxAttribute = number | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly op: string;
  inputs: readonly string[];
  output: string;
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A float input or output; a dimension that is a text is any number. */
export interface OnnxValue {
  readonly name: string;
  readonly dims: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly about: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly input: OnnxValue;
  readonly output: OnnxValue;
  readonly producer: { readonly name: string; readonly version: string };
  readonly metadata: Readonly<Record<string, string>>;
}

/** Versions that every runtime of the last years reads. */
const IR_VERSION = 8, OPSET = 17;
const FLOAT = 1, INT64 = 7;

function attribute(name: string, value: OnnxAttribute): Bytes {
  if (typeof value === "number") return message(5, text(1, name), integer(3, value), integer(20, 2));
  if ("float" in value) return message(5, text(1, name), float(2, value.float), integer(20, 1));
  return message(5, text(1, name), ...value.map((item) => integer(8, item)), integer(20, 7));
}

const node = ({ op, inputs, output, attributes }: OnnxNode) =>
  message(
    1,
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(3, output),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  );

const tensor = ({ name, dims, data }: OnnxTensor) =>
  message(
    5,
    ...dims.map((size) => integer(1, size)),
    integer(2, data instanceof Float32Array ? FLOAT : INT64),
    text(8, name),
    bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );

function value(field: number, { name, dims }: OnnxValue): Bytes {
  const sizes = dims.map((size) => message(1, typeof size === "number" ? integer(1, size) : text(2, size)));
  return message(field, text(1, name), message(2, message(1, integer(1, FLOAT), message(2, ...sizes))));
}

/** The bytes of an ONNX model; numbers are little-endian, as the format wants them. */
export function encodeOnnx(graph: OnnxGraph): Bytes {
  return join([
    integer(1, IR_VERSION),
    text(2, graph.producer.name),
    text(3, graph.producer.version),
    text(6, graph.about),
    message(
      7,
      ...graph.nodes.map(node),
      text(2, graph.name),
      ...graph.initializers.map(tensor),
      value(11, graph.input),
      value(12, graph.output),
    ),
    message(8, text(1, ""), integer(2, OPSET)),
    ...Object.entries(graph.metadata).map(([key, value]) => message(14, text(1, key), text(2, value))),
  ]);
}

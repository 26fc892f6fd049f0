import { stepInput, withSharedNodes } from "../graph/tensor.ts";
import type { Feeds } from "../compile/reference.ts";
import { type Model, TraceScope } from "../nn/scope.ts";
import type { OpName } from "../ops/names.ts";
import { OnnxBuilder } from "./onnx_graph.ts";
import { translations } from "./onnx_ops.ts";
import { encodeOnnx, type OnnxNode } from "./onnx_proto.ts";

export interface OnnxOptions {
  /** Parameters and running averages by name. */
  readonly values: Feeds;
  /** Of each channel of images: the file takes values from 0 to 1 and computes (x − mean) / std itself. Default: as they are. */
  readonly normalisation?: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
  readonly producer: { readonly name: string; readonly version: string };
  /** What the file says of itself. */
  readonly about?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Examples in the trace; more than one, so that what mixes them is seen. */
const BATCH = 3;

/** The statistics of a group norm are part of `groupNormalize`. */
const SILENT: readonly string[] = ["groupStats"];

/**
 * A network as an ONNX file, normalised by running statistics. Its input is `images` float32 [N, C, H, W], or `input` [N, F];
 * its output `logits` [N, classes]; N is any number. Batch norms, biases and factors per channel are part of the
 * convolutions and products before them.
 *
 * @throws {TypeError} if the network does what has no translation, or what mixes examples.
 */
export function writeOnnx(model: Model, options: OnnxOptions): Uint8Array<ArrayBuffer> {
  const { normalisation, producer, about = model.name, metadata = {} } = options;
  const { x, logits } = withSharedNodes(() => {
    const x = stepInput("x", [BATCH, ...model.input]);
    return { x, logits: model.forward(new TraceScope("running"), x) };
  });
  const images = model.input.length === 3;
  const input = images ? "images" : "input";
  const onnx = new OnnxBuilder(x, input, logits, options.values);
  if (normalisation && images) {
    const channels = [1, model.input[2], 1, 1];
    const centred = onnx.emit("Sub", [input, onnx.floats("mean", channels, normalisation.mean)]);
    onnx.bind(x, onnx.emit("Div", [centred, onnx.floats("std", channels, normalisation.std)]));
  }
  for (const node of onnx.dynamic) {
    if (node === x || SILENT.includes(node.op!.name)) continue;
    const translate = translations[node.op!.name as OpName];
    if (!translate) throw new TypeError(`onnx: want ops that have a translation, got ${node}`);
    onnx.bind(node, translate(onnx, node));
  }
  const initializers = onnx.finish();
  rename(onnx.nodes, onnx.nameOf(logits), "logits");
  const [h, w, c] = model.input;
  return encodeOnnx({
    name: model.name,
    about,
    nodes: onnx.nodes,
    initializers,
    input: { name: input, dims: images ? ["N", c, h, w] : ["N", ...model.input] },
    output: { name: "logits", dims: ["N", model.classes] },
    producer,
    metadata,
  });
}

function rename(nodes: readonly OnnxNode[], from: string, to: string): void {
  for (const node of nodes) {
    if (node.output === from) node.output = to;
    node.inputs = node.inputs.map((name) => name === from ? to : name);
  }
}

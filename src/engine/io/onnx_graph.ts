import { formatShape, type Shape, sizeOf } from "../../util/shape.ts";
import { evaluate, type Feeds } from "../compile/reference.ts";
import type { Values } from "../graph/op.ts";
import type { Tensor } from "../graph/tensor.ts";
import { reachable } from "../graph/trace.ts";
import type { OnnxAttribute, OnnxNode, OnnxTensor } from "./onnx_proto.ts";

/** A layer whose weights take up factors and shifts of what follows it: numbers in float64 until they are written. */
interface Linear {
  readonly node: OnnxNode;
  readonly dims: readonly number[];
  readonly weight: Float64Array;
  /** Channel of the result that a weight belongs to. */
  readonly channel: (index: number) => number;
  readonly bias: Float64Array;
  biased: boolean;
}

/**
 * An ONNX graph under construction from an engine graph. Images are NCHW in it, as ONNX has them; everything that does not
 * depend on the input is computed beforehand and becomes an initializer.
 */
export class OnnxBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly #initializers: OnnxTensor[] = [];
  readonly #names = new Map<Tensor, string>();
  readonly #linears = new Map<string, Linear>();
  readonly #readers = new Map<Tensor, number>();
  readonly #dynamic: Set<Tensor>;
  readonly #feeds: Feeds;
  readonly #counts = new Map<string, number>();

  constructor(input: Tensor, inputName: string, output: Tensor, feeds: Feeds) {
    this.#feeds = feeds;
    this.#names.set(input, inputName);
    this.#dynamic = new Set([input]);
    for (const node of reachable([output])) {
      if (node.inputs.some((operand) => this.#dynamic.has(operand))) this.#dynamic.add(node);
      for (const operand of node.inputs) this.#readers.set(operand, (this.#readers.get(operand) ?? 0) + 1);
    }
  }

  /** Nodes that depend on the input, each after those it reads. */
  get dynamic(): readonly Tensor[] {
    return [...this.#dynamic].sort((a, b) => a.id - b.id);
  }

  /** Values of what does not depend on the input; null of what does. */
  constantOf(tensor: Tensor): Values | null {
    return this.#dynamic.has(tensor) ? null : evaluate([tensor], this.#feeds)[0];
  }

  /** Name of a value that depends on the input. */
  nameOf(tensor: Tensor): string {
    const name = this.#names.get(tensor);
    if (name === undefined) throw new Error(`internal: onnx: ${tensor} has no value yet`);
    return name;
  }

  bind(tensor: Tensor, name: string): void {
    this.#names.set(tensor, name);
  }

  /** Adds a node; returns the name of its result. */
  emit(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    const output = this.#unique(op.toLowerCase());
    this.nodes.push({ op, inputs, output, attributes });
    return output;
  }

  /** Adds numbers; returns their name. */
  floats(hint: string, dims: readonly number[], values: ArrayLike<number>): string {
    const name = this.#unique(hint);
    this.#initializers.push({ name, dims, data: Float32Array.from(values) });
    return name;
  }

  integers(hint: string, values: readonly number[]): string {
    const name = this.#unique(hint);
    this.#initializers.push({ name, dims: [values.length], data: BigInt64Array.from(values, BigInt) });
    return name;
  }

  /** An operand of an element-wise node, in the layout of the node's result. */
  operand(tensor: Tensor, result: Tensor): string {
    const values = this.constantOf(tensor);
    if (!values) {
      if (tensor.shape.length === result.shape.length || sizeOf(tensor.shape) === 1) {
        return this.nameOf(tensor);
      }
      throw new TypeError(`onnx: want operands of equal rank in ${result}, got ${formatShape(tensor.shape)}`);
    }
    if (values.every((value) => Object.is(value, values[0]))) {
      return this.floats("scalar", [], values.slice(0, 1));
    }
    const rank = result.shape.length;
    const shape = [...new Array<number>(rank - tensor.shape.length).fill(1), ...tensor.shape];
    if (shape[0] !== 1 && rank > 1) {
      throw new TypeError(`onnx: want constants that are the same for every example, got ${tensor}`);
    }
    if (rank !== 4) return this.floats("constant", shape, values);
    return this.floats("constant", [shape[0], shape[3], shape[1], shape[2]], toChannelsFirst(values, shape));
  }

  /** Adds a layer whose weights may still change. */
  linear(
    op: string,
    x: string,
    { dims, weight, channel, channels }: {
      readonly dims: readonly number[];
      readonly weight: Float64Array;
      readonly channel: (index: number) => number;
      readonly channels: number;
    },
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    const output = this.emit(op, [x], attributes);
    const node = this.nodes.at(-1)!;
    this.#linears.set(output, {
      node,
      dims,
      weight,
      channel,
      bias: new Float64Array(channels),
      biased: false,
    });
    return output;
  }

  /** Takes scale · x + shift, per channel, into the layer that x is the result of; null where there is none, or x is read elsewhere. */
  absorb(x: Tensor, scale: Values | null, shift: Values | null): string | null {
    const name = this.#names.get(x);
    const linear = name === undefined ? undefined : this.#linears.get(name);
    if (!linear || this.#readers.get(x) !== 1) return null;
    const { weight, channel, bias } = linear;
    const at = (values: Values, k: number) => values[values.length === 1 ? 0 : k];
    if (scale) {
      weight.forEach((value, i) => weight[i] = value * at(scale, channel(i)));
      bias.forEach((value, k) => bias[k] = value * at(scale, k));
    }
    if (shift) {
      bias.forEach((value, k) => bias[k] = value + at(shift, k));
      linear.biased = true;
    }
    return name!;
  }

  /** Settles the weights; returns all initializers. */
  finish(): readonly OnnxTensor[] {
    for (const [name, { node, dims, weight, bias, biased }] of this.#linears) {
      const inputs = [...node.inputs, this.floats(`${name}.weight`, dims, weight)];
      node.inputs = biased ? [...inputs, this.floats(`${name}.bias`, [bias.length], bias)] : inputs;
    }
    return this.#initializers;
  }

  #unique(hint: string): string {
    const count = this.#counts.get(hint) ?? 0;
    this.#counts.set(hint, count + 1);
    return count === 0 && hint.includes(".") ? hint : `${hint}${count + 1}`;
  }
}

/** [A, H, W, C] as [A, C, H, W]. */
function toChannelsFirst(values: Values, [, h, w, c]: Shape): Float64Array {
  const result = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const channel = i % c, place = Math.floor(i / c) % (h * w), outer = Math.floor(i / (c * h * w));
    result[(outer * c + channel) * h * w + place] = values[i];
  }
  return result;
}

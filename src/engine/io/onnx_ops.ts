import type { ConvAttrs } from "../../../kernels/conv_sizes.ts";
import { formatShape, type Shape } from "../../util/shape.ts";
import type { Values } from "../graph/op.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { OpName } from "../ops/names.ts";
import type { OnnxBuilder } from "./onnx_graph.ts";

/** Adds what a node computes; returns the name of its result. */
type Translate = (onnx: OnnxBuilder, node: Tensor) => string;

const isImage = ({ shape }: Tensor) => shape.length === 4;

const unary = (op: string): Translate => (onnx, { inputs: [x] }) => onnx.emit(op, [onnx.nameOf(x)]);

/** A constant that is one number, or one for each channel of the result; null of any other. */
function perChannel(onnx: OnnxBuilder, tensor: Tensor, result: Tensor): Values | null {
  const values = onnx.constantOf(tensor);
  const channels = result.shape.at(-1)!;
  const fits = values &&
    (values.length === 1 || (values.length === channels && tensor.shape.at(-1) === channels));
  return fits ? values : null;
}

type Absorb = (constant: Values) => readonly [scale: Values | null, shift: Values | null];

/** A formula of two operands; where the second is constant, a layer before it may take it up as `absorb` says. */
const binary = (op: string, absorb?: Absorb, commutes = false): Translate => (onnx, node) => {
  const [a, b] = node.inputs;
  for (const [x, c] of commutes ? [[a, b], [b, a]] : [[a, b]]) {
    const constant = absorb && !onnx.constantOf(x) ? perChannel(onnx, c, node) : null;
    const absorbed = constant && onnx.absorb(x, ...absorb!(constant));
    if (absorbed) return absorbed;
  }
  return onnx.emit(op, [onnx.operand(a, node), onnx.operand(b, node)]);
};

/** Kernel [KH, KW, I, O] as ONNX has it, [O, I, KH, KW]. */
function convWeights(values: Values, [kh, kw, depth, out]: Shape): Float64Array {
  const weight = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const o = i % out, d = Math.floor(i / out) % depth, place = Math.floor(i / (out * depth));
    weight[(o * depth + d) * kh * kw + place] = values[i];
  }
  return weight;
}

const conv2d: Translate = (onnx, { inputs: [x, w], attrs }) => {
  const { stride, padding, groups } = attrs as unknown as ConvAttrs;
  const values = onnx.constantOf(w);
  if (!values) throw new TypeError("onnx: want convolutions with constant weights");
  const [kh, kw, depth, out] = w.shape;
  const perOut = depth * kh * kw;
  return onnx.linear("Conv", onnx.nameOf(x), {
    dims: [out, depth, kh, kw],
    weight: convWeights(values, w.shape),
    channel: (i) => Math.floor(i / perOut),
    channels: out,
  }, {
    kernel_shape: [kh, kw],
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
    group: groups,
  });
};

const matmul: Translate = (onnx, { inputs: [a, b], attrs: { transposeA, transposeB } }) => {
  const values = onnx.constantOf(b);
  if (!values || transposeA || transposeB || b.shape.length !== 2) {
    throw new TypeError("onnx: want products with a constant matrix on the right");
  }
  const [, out] = b.shape;
  const weight = Float64Array.from(values);
  return onnx.linear("Gemm", onnx.nameOf(a), {
    dims: b.shape,
    weight,
    channel: (i) => i % out,
    channels: out,
  });
};

/** Through the engine's own order of elements, NHWC, which for images of one pixel is also ONNX's. */
const reshape: Translate = (onnx, { shape, inputs: [x] }) => {
  const single = ([, h, w]: Shape) => h === 1 && w === 1;
  let name = onnx.nameOf(x);
  if (isImage(x) && !single(x.shape)) name = onnx.emit("Transpose", [name], { perm: [0, 2, 3, 1] });
  const toImage = shape.length === 4;
  const dims = toImage && single(shape) ? [-1, shape[3], 1, 1] : [-1, ...shape.slice(1)];
  name = onnx.emit("Reshape", [name, onnx.integers("shape", dims)]);
  return toImage && !single(shape) ? onnx.emit("Transpose", [name], { perm: [0, 3, 1, 2] }) : name;
};

const sum: Translate = (onnx, { inputs: [x], attrs }) => {
  const axes = attrs.axes as readonly number[], scale = attrs.scale as number;
  if (axes.includes(0)) {
    throw new TypeError(`onnx: want sums within examples, got one over axes ${axes} of ${x}`);
  }
  const [, h, w] = x.shape;
  if (isImage(x) && axes.join() === "1,2" && scale === 1 / (h * w)) {
    return onnx.emit("GlobalAveragePool", [onnx.nameOf(x)]);
  }
  const places = isImage(x) ? axes.map((axis) => [0, 2, 3, 1][axis]) : axes;
  const total = onnx.emit("ReduceSum", [onnx.nameOf(x), onnx.integers("axes", places)], { keepdims: 1 });
  return scale === 1 ? total : onnx.emit("Mul", [total, onnx.floats("scalar", [], [scale])]);
};

/** Each group of channels as one channel of an instance norm, which has neither scale nor shift. */
const groupNormalize: Translate = (onnx, node) => {
  const [x, stats, gamma, beta] = node.inputs;
  const groups = node.attrs.groups as number, epsilon = node.attrs.epsilon as number;
  const [examples, ...rest] = x.shape;
  if (stats.inputs[0] !== x || examples === 1 || (rest.length !== 1 && rest.length !== 3)) {
    throw new TypeError(
      `onnx: want norms of single examples, got one of ${formatShape(x.shape)}; use running statistics`,
    );
  }
  const grouped = onnx.emit("Reshape", [onnx.nameOf(x), onnx.integers("shape", [0, groups, -1])]);
  const ones = onnx.floats("ones", [groups], new Float32Array(groups).fill(1));
  const zeros = onnx.floats("zeros", [groups], new Float32Array(groups));
  const normal = onnx.emit("InstanceNormalization", [grouped, ones, zeros], { epsilon: { float: epsilon } });
  const dims = isImage(x) ? [-1, rest[2], rest[0], rest[1]] : [-1, ...rest];
  const back = onnx.emit("Reshape", [normal, onnx.integers("shape", dims)]);
  return onnx.emit("Add", [onnx.emit("Mul", [back, onnx.operand(gamma, node)]), onnx.operand(beta, node)]);
};

const pool = (op: string): Translate => (onnx, { inputs: [x], attrs }) => {
  const kernel = attrs.kernel as number, stride = attrs.stride as number;
  return onnx.emit(op, [onnx.nameOf(x)], { kernel_shape: [kernel, kernel], strides: [stride, stride] });
};

/** ½x(1 + tanh(√(2/π)·(x + 0.044715·x³))), as the engine computes it. */
const gelu: Translate = (onnx, { inputs: [input] }) => {
  const x = onnx.nameOf(input), number = (value: number) => onnx.floats("scalar", [], [value]);
  const mul = (a: string, b: string) => onnx.emit("Mul", [a, b]),
    add = (a: string, b: string) => onnx.emit("Add", [a, b]);
  const inner = add(x, mul(mul(mul(x, x), x), number(0.044715)));
  const tanh = onnx.emit("Tanh", [mul(inner, number(Math.sqrt(2 / Math.PI)))]);
  return mul(mul(x, number(0.5)), add(tanh, number(1)));
};

const inverse = (values: Values) => Float64Array.from(values, (value) => 1 / value);
const negative = (values: Values) => Float64Array.from(values, (value) => -value);

/** The ops that networks use to answer, as ONNX has them. */
export const translations: Partial<Record<OpName, Translate>> = {
  add: binary("Add", (c) => [null, c], true),
  sub: binary("Sub", (c) => [null, negative(c)]),
  mul: binary("Mul", (c) => [c, null], true),
  div: binary("Div", (c) => [inverse(c), null]),
  maximum: binary("Max"),
  neg: unary("Neg"),
  exp: unary("Exp"),
  log: unary("Log"),
  sqrt: unary("Sqrt"),
  relu: unary("Relu"),
  sigmoid: unary("Sigmoid"),
  tanh: unary("Tanh"),
  square: (onnx, { inputs: [x] }) => onnx.emit("Mul", [onnx.nameOf(x), onnx.nameOf(x)]),
  leakyRelu: (onnx, { inputs: [x], attrs }) =>
    onnx.emit("LeakyRelu", [onnx.nameOf(x)], { alpha: { float: attrs.slope as number } }),
  silu: (onnx, { inputs: [x] }) => onnx.emit("Mul", [onnx.nameOf(x), onnx.emit("Sigmoid", [onnx.nameOf(x)])]),
  gelu,
  sum,
  groupNormalize,
  matmul,
  conv2d,
  reshape,
  maxPool2d: pool("MaxPool"),
  averagePool2d: pool("AveragePool"),
};

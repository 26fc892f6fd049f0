import {
  broadcastShapes,
  broadcastStrides,
  formatShape,
  sameShape,
  type Shape,
  sizeOf,
} from "../../util/shape.ts";
import type { Attrs, Call, TensorType } from "../gpu/kernel.ts";
import type { Op, Values } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { defineOp } from "./define.ts";
import { sumTo } from "./reduce.ts";
import type { OpName } from "./names.ts";
import { addRepeating, rectify, wholeAndRepeating } from "./quick_loops.ts";

type Scalar = (...operands: number[]) => number;
type Gradient = (dy: Tensor, node: Tensor) => readonly (Tensor | null)[];

/** Common type rule: all operands f32, shapes broadcast together. */
function broadcastType(name: string, inputs: readonly TensorType[]): TensorType {
  let shape: Shape = [];
  for (const input of inputs) {
    if (input.dtype !== "f32") throw new TypeError(`${name}: want f32 operands, got ${input.dtype}`);
    const joined = broadcastShapes(shape, input.shape);
    if (!joined) {
      const shapes = inputs.map((i) => formatShape(i.shape)).join(" and ");
      throw new TypeError(`${name}: shapes ${shapes} do not broadcast; make each dimension equal or 1`);
    }
    shape = joined;
  }
  return { shape, dtype: "f32" };
}

/** Where each element of `target` is read in an operand that is broadcast to it; null where that is its own place. */
function positionsOf(shape: Shape, target: Shape): Uint32Array | null {
  if (sameShape(shape, target)) return null;
  const strides = broadcastStrides(shape, target);
  let positions = Uint32Array.of(0);
  for (const [d, size] of target.entries()) {
    const outer = positions;
    positions = new Uint32Array(outer.length * size);
    for (let at = 0; at < positions.length; at++) {
      positions[at] = outer[Math.floor(at / size)] + (at % size) * strides[d];
    }
  }
  return positions;
}

/** Of calls that are made again and again. */
const positions = new WeakMap<Call, readonly (Uint32Array | null)[]>();

/** Which operand of a sum is whole, the other repeating, of calls that are made again and again. */
const orders = new WeakMap<Call, readonly [number, number] | null>();

/** Evaluates a scalar function over broadcast operands in float64. */
function mapReference(f: Scalar, inputs: readonly Values[], call: Call, into?: Values): Values {
  const { shape } = call.output;
  const result = into ?? new Float64Array(sizeOf(shape));
  const [a, b, c] = inputs;
  const places = positions.get(call) ?? call.inputs.map((input) => positionsOf(input.shape, shape));
  positions.set(call, places);
  const [pa, pb, pc] = places;
  if (inputs.length === 1) {
    for (let i = 0; i < result.length; i++) result[i] = f(a[i]);
  } else if (inputs.length === 2 && !pa && !pb) {
    for (let i = 0; i < result.length; i++) result[i] = f(a[i], b[i]);
  } else {
    for (let i = 0; i < result.length; i++) {
      const x = a[pa ? pa[i] : i], y = b[pb ? pb[i] : i];
      result[i] = c ? f(x, y, c[pc ? pc[i] : i]) : f(x, y);
    }
  }
  return result;
}

interface Formula<A extends Attrs> {
  readonly wgsl: string;
  readonly f: (attrs: A) => Scalar;
  /** Operations an element. */
  readonly cost: number;
  readonly gradient?: Gradient;
  readonly quick?: NonNullable<Op["quick"]>;
}

function elementwise<A extends Attrs = Attrs>(name: OpName, formula: Formula<A>): Op<A, OpName> {
  return defineOp<A>({
    name,
    type: (inputs) => broadcastType(name, inputs),
    reference: (inputs, call, into) => mapReference(formula.f(call.attrs), inputs, call as Call, into),
    ...(formula.gradient ? { gradient: formula.gradient } : {}),
    ...(formula.quick ? { quick: formula.quick as NonNullable<Op<A>["quick"]> } : {}),
    lower: { wgsl: formula.wgsl },
    flops: (call) => formula.cost * sizeOf(call.output.shape),
  });
}

/** Gradient of a binary op from its two partials, summed back over broadcast dimensions. */
function binary(partials: (dy: Tensor, a: Tensor, b: Tensor, y: Tensor) => [Tensor, Tensor]): Gradient {
  return (dy, node) => {
    const [a, b] = node.inputs;
    const [da, db] = partials(dy, a, b, node);
    return [sumTo(da, a.shape), sumTo(db, b.shape)];
  };
}

/** Gradient of a unary op: dy times the derivative. */
function unary(derivative: (x: Tensor, y: Tensor) => Tensor): Gradient {
  return (dy, node) => [mul(dy, derivative(node.inputs[0], node))];
}

/**
 * Multiplies the cotangent by a step function of x, as a single formula. The result is positive where x is, unless the
 * slope is negative: asked instead of x, it saves keeping x.
 */
const stepGradient = (slope: number): Gradient => (dy, node) => [
  apply(gate, [dy, slope < 0 ? node.inputs[0] : node], { slope }),
];

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
const sigmoidOf = (x: number) => 1 / (1 + Math.exp(-x));

const full_ = defineOp<{ shape: readonly number[]; value: number }>({
  name: "full",
  type: (_, { shape }) => ({ shape, dtype: "f32" }),
  reference: (_, call) => new Float64Array(sizeOf(call.output.shape)).fill(call.attrs.value),
  lower: { wgsl: "T($value)" },
  flops: () => 0,
});

/** dy where x > 0, slope · dy elsewhere: the gradient of (leaky) ReLU. */
const gate: Op<{ slope: number }, OpName> = elementwise<{ slope: number }>("gate", {
  wgsl: "select($slope * $0, $0, $1 > T(0.0))",
  f: ({ slope }) => (dy, x) => x > 0 ? dy : slope * dy,
  cost: 1,
});

/** dy where a ≥ b, else 0. */
const gateAtLeast: Op<Attrs, OpName> = elementwise("gateAtLeast", {
  wgsl: "select(T(0.0), $0, $1 >= $2)",
  f: () => (dy, a, b) => a >= b ? dy : 0,
  cost: 1,
});

export const elementwiseOps = {
  full: full_,
  add: elementwise("add", {
    wgsl: "$0 + $1",
    f: () => (a, b) => a + b,
    cost: 1,
    gradient: binary((dy) => [dy, dy]),
    quick(inputs, call, into) {
      let order = orders.get(call);
      if (order === undefined) {
        order = wholeAndRepeating(call.inputs.map(({ shape }) => shape), call.output.shape);
        orders.set(call, order);
      }
      if (!order) return null;
      const y = into ?? new Float64Array(sizeOf(call.output.shape));
      addRepeating(inputs[order[0]], inputs[order[1]], y);
      return y;
    },
  }),
  sub: elementwise("sub", {
    wgsl: "$0 - $1",
    f: () => (a, b) => a - b,
    cost: 1,
    gradient: binary((dy) => [dy, neg(dy)]),
  }),
  mul: elementwise("mul", {
    wgsl: "$0 * $1",
    f: () => (a, b) => a * b,
    cost: 1,
    gradient: binary((dy, a, b) => [mul(dy, b), mul(dy, a)]),
  }),
  div: elementwise("div", {
    wgsl: "$0 / $1",
    f: () => (a, b) => a / b,
    cost: 1,
    gradient: binary((dy, _, b, y) => [div(dy, b), neg(div(mul(dy, y), b))]),
  }),
  maximum: elementwise("maximum", {
    wgsl: "max($0, $1)",
    f: () => Math.max,
    cost: 1,
    // Where both are equal the first operand takes the gradient.
    gradient: binary((dy, a, b) => [
      apply(gateAtLeast, [dy, a, b], {}),
      sub(dy, apply(gateAtLeast, [dy, a, b], {})),
    ]),
  }),
  neg: elementwise("neg", { wgsl: "-$0", f: () => (x) => -x, cost: 1, gradient: (dy) => [neg(dy)] }),
  exp: elementwise("exp", { wgsl: "exp($0)", f: () => Math.exp, cost: 1, gradient: unary((_, y) => y) }),
  log: elementwise("log", {
    wgsl: "log($0)",
    f: () => Math.log,
    cost: 1,
    gradient: (dy, node) => [div(dy, node.inputs[0])],
  }),
  sqrt: elementwise("sqrt", {
    wgsl: "sqrt($0)",
    f: () => Math.sqrt,
    cost: 1,
    gradient: (dy, node) => [div(mul(dy, 0.5), node)],
  }),
  square: elementwise("square", {
    wgsl: "$0 * $0",
    f: () => (x) => x * x,
    cost: 1,
    gradient: unary((x) => mul(x, 2)),
  }),
  relu: elementwise("relu", {
    wgsl: "max($0, T(0.0))",
    f: () => (x) => Math.max(x, 0),
    cost: 1,
    gradient: stepGradient(0),
    quick([x], _, into) {
      const y = into ?? new Float64Array(x.length);
      rectify(x, y);
      return y;
    },
  }),
  leakyRelu: elementwise<{ slope: number }>("leakyRelu", {
    wgsl: "select($slope * $0, $0, $0 > T(0.0))",
    f: ({ slope }) => (x) => x > 0 ? x : slope * x,
    cost: 1,
    gradient: (dy, node) => stepGradient(node.attrs.slope as number)(dy, node),
  }),
  sigmoid: elementwise("sigmoid", {
    wgsl: "T(1.0) / (T(1.0) + exp(-$0))",
    f: () => sigmoidOf,
    cost: 4,
    gradient: unary((_, y) => mul(y, sub(1, y))),
  }),
  tanh: elementwise("tanh", {
    // WGSL's tanh overflows to NaN for large |x| on some drivers; it is ±1 there.
    wgsl: "tanh(clamp($0, T(-15.0), T(15.0)))",
    f: () => Math.tanh,
    cost: 4,
    gradient: unary((_, y) => sub(1, square(y))),
  }),
  silu: elementwise("silu", {
    wgsl: "$0 / (T(1.0) + exp(-$0))",
    f: () => (x) => x * sigmoidOf(x),
    cost: 4,
    // d silu = σ(x)·(1 + x·(1 − σ(x)))
    gradient: unary((x) => {
      const s = sigmoid(x);
      return mul(s, add(1, mul(x, sub(1, s))));
    }),
  }),
  /** The tanh form of GELU (Hendrycks & Gimpel 2016, eq. 2). */
  gelu: elementwise("gelu", {
    wgsl:
      "0.5 * $0 * (T(1.0) + tanh(clamp(0.7978845608028654 * ($0 + 0.044715 * $0 * $0 * $0), T(-15.0), T(15.0))))",
    f: () => (x) => 0.5 * x * (1 + Math.tanh(SQRT_2_OVER_PI * (x + 0.044715 * x ** 3))),
    cost: 10,
    gradient: unary((x) => {
      const t = tanh(mul(SQRT_2_OVER_PI, add(x, mul(0.044715, mul(x, square(x))))));
      const inner = mul(SQRT_2_OVER_PI, add(1, mul(3 * 0.044715, square(x))));
      return add(mul(0.5, add(1, t)), mul(mul(0.5, x), mul(sub(1, square(t)), inner)));
    }),
  }),
  gate,
  gateAtLeast,
};

/** A tensor, or a number that stands for a constant. */
export type Operand = Tensor | number;
const lift = (x: Operand): Tensor => typeof x === "number" ? full([], x) : x;

/** A tensor of one repeated value; costs no memory where it is consumed by an element-wise op. */
export function full(shape: Shape, value: number): Tensor {
  return apply(full_, [], { shape, value });
}

/** The value of a tensor that `full` made; null of any other. */
export function constantOf(x: Tensor): number | null {
  if (x.op?.lower === "view") return constantOf(x.inputs[0]);
  return x.op?.name === full_.name ? x.attrs.value as number : null;
}

/** a + b with broadcasting; numbers stand for constants. */
export function add(a: Operand, b: Operand): Tensor {
  return apply(elementwiseOps.add, [lift(a), lift(b)], {});
}

/** a − b with broadcasting. */
export function sub(a: Operand, b: Operand): Tensor {
  return apply(elementwiseOps.sub, [lift(a), lift(b)], {});
}

/** a · b, element by element, with broadcasting. */
export function mul(a: Operand, b: Operand): Tensor {
  return apply(elementwiseOps.mul, [lift(a), lift(b)], {});
}

/** a / b, element by element, with broadcasting. */
export function div(a: Operand, b: Operand): Tensor {
  return apply(elementwiseOps.div, [lift(a), lift(b)], {});
}

/** The larger of a and b, element by element, with broadcasting. */
export function maximum(a: Operand, b: Operand): Tensor {
  return apply(elementwiseOps.maximum, [lift(a), lift(b)], {});
}

/** −x. */
export const neg = (x: Tensor): Tensor => apply(elementwiseOps.neg, [x], {});
/** eˣ. */
export const exp = (x: Tensor): Tensor => apply(elementwiseOps.exp, [x], {});
/** Natural logarithm; NaN below 0, −∞ at 0. */
export const log = (x: Tensor): Tensor => apply(elementwiseOps.log, [x], {});
/** √x; NaN below 0. */
export const sqrt = (x: Tensor): Tensor => apply(elementwiseOps.sqrt, [x], {});
/** x². */
export const square = (x: Tensor): Tensor => apply(elementwiseOps.square, [x], {});
/** max(x, 0). */
export const relu = (x: Tensor): Tensor => apply(elementwiseOps.relu, [x], {});
/** 1 / (1 + e⁻ˣ). */
export const sigmoid = (x: Tensor): Tensor => apply(elementwiseOps.sigmoid, [x], {});
/** Hyperbolic tangent. */
export const tanh = (x: Tensor): Tensor => apply(elementwiseOps.tanh, [x], {});
/** x · sigmoid(x) (Elfwing et al. 2018). */
export const silu = (x: Tensor): Tensor => apply(elementwiseOps.silu, [x], {});
/** 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))): x · Φ(x), Φ by its tanh approximation (Hendrycks & Gimpel 2016). */
export const gelu = (x: Tensor): Tensor => apply(elementwiseOps.gelu, [x], {});

/** max(x, slope·x). */
export function leakyRelu(x: Tensor, slope = 0.01): Tensor {
  return apply(elementwiseOps.leakyRelu, [x], { slope });
}

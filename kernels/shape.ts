import copySource from "../shaders/shape/copy.wgsl" with { type: "text" };
import copy4Source from "../shaders/shape/copy4.wgsl" with { type: "text" };
import joinSource from "../shaders/shape/join.wgsl" with { type: "text" };
import padSource from "../shaders/shape/pad.wgsl" with { type: "text" };
import pad4Source from "../shaders/shape/pad4.wgsl" with { type: "text" };
import {
  type Attrs,
  type Call,
  type Dispatch,
  type Operand,
  single,
  type Variant,
  workgroupsFor,
} from "../src/engine/gpu/kernel.ts";
import { type Shape, sizeOf, stridesOf } from "../src/util/shape.ts";

const RANK = 5;

/** A dimension of a copy: its size and the steps in elements between neighbours, in the source and in the target. */
interface Dimension {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/** A copy of a box of elements: from offset `from` and strides of the source to those of the target. */
export interface Copy {
  readonly from: number;
  readonly to: number;
  readonly dimensions: readonly Dimension[];
}

/** Dimensions of size 1 left out, and neighbours joined that lie alike in both. */
function joined(dimensions: readonly Dimension[]): Dimension[] {
  const result: Dimension[] = [];
  for (const dimension of dimensions) {
    const last = result.at(-1);
    const { size, from, to } = dimension;
    if (size === 1) continue;
    if (last && last.from === from * size && last.to === to * size) {
      result[result.length - 1] = { size: last.size * size, from, to };
    } else result.push(dimension);
  }
  return result;
}

/** Numbers as constants NAME_0 … NAME_4, the last dimension being 4; `fill` stands for those in front. */
function numbered(name: string, values: readonly number[], fill: number): Record<string, number> {
  if (values.length > RANK) {
    throw new RangeError(`shape kernels: want at most ${RANK} separate dimensions, got ${values.length}`);
  }
  const all = [...new Array<number>(RANK - values.length).fill(fill), ...values];
  return Object.fromEntries(all.map((value, d) => [`${name}_${d}`, value]));
}

function copyDispatch(copy: Copy, source: Operand): Dispatch {
  const dimensions = joined(copy.dimensions);
  if (dimensions.length === 0) dimensions.push({ size: 1, from: 1, to: 1 });
  const last = dimensions.at(-1)!;
  const steps = dimensions.slice(0, -1).flatMap(({ from, to }) => [from, to]);
  const vector = last.from === 1 && last.to === 1 &&
    [last.size, copy.from, copy.to, ...steps].every((value) => value % 4 === 0);
  const unit = vector ? 4 : 1;
  const scaled = (values: number[], last: number) => [...values.slice(0, -1).map((v) => v / unit), last];
  const sizes = [...dimensions.slice(0, -1).map(({ size }) => size), last.size / unit];
  return {
    name: vector ? "shape/copy4" : "shape/copy",
    source: vector ? copy4Source : copySource,
    constants: {
      ...numbered("SIZE", sizes, 1),
      ...numbered("STRIDE", scaled(dimensions.map(({ from }) => from), last.from), 0),
      ...numbered("TO_STRIDE", scaled(dimensions.map(({ to }) => to), last.to), 0),
      FROM: copy.from / unit,
      TO: copy.to / unit,
    },
    operands: [source, "output"],
    workgroups: workgroupsFor(sizeOf(sizes), 64),
  };
}

/** Kernels that only move elements: `copies` says what goes where, a copy an input. */
export function copyVariants<A extends Attrs>(
  copies: (call: Call<A>) => readonly Copy[],
): readonly Variant<A>[] {
  return [{
    id: "copy",
    fits: () => true,
    lower: (call) => ({
      dispatches: copies(call).map((copy, input) => copyDispatch(copy, { input })),
      scratchBytes: [],
    }),
  }];
}

export type SliceAttrs = { readonly begin: readonly number[]; readonly size: readonly number[] };
export type PadAttrs = { readonly before: readonly number[]; readonly after: readonly number[] };
export type ConcatAttrs = { readonly axis: number };
export type TransposeAttrs = { readonly order: readonly number[] };

const offsetOf = (index: readonly number[], strides: readonly number[]) =>
  index.reduce((sum, n, d) => sum + n * strides[d], 0);

export function sliceCopies({ inputs: [x], output, attrs: { begin } }: Call<SliceAttrs>): Copy[] {
  const from = stridesOf(x.shape), to = stridesOf(output.shape);
  return [{
    from: offsetOf(begin, from),
    to: 0,
    dimensions: output.shape.map((size, d) => ({ size, from: from[d], to: to[d] })),
  }];
}

export function transposeCopies({ inputs: [x], output, attrs: { order } }: Call<TransposeAttrs>): Copy[] {
  const from = stridesOf(x.shape), to = stridesOf(output.shape);
  return [{
    from: 0,
    to: 0,
    dimensions: output.shape.map((size, d) => ({ size, from: from[order[d]], to: to[d] })),
  }];
}

export function concatCopies({ inputs, output, attrs: { axis } }: Call<ConcatAttrs>): Copy[] {
  const to = stridesOf(output.shape);
  let begin = 0;
  return inputs.map(({ shape }) => {
    const from = stridesOf(shape);
    const start = begin * to[axis];
    begin += shape[axis];
    return {
      from: 0,
      to: start,
      dimensions: shape.map((size, d) => ({ size, from: from[d], to: to[d] })),
    };
  });
}

/** Tensors that the join kernel binds. */
const JOINED = 4;
/** Numbers above which a dispatch a tensor, by vectors, is no slower than one for all. */
const SMALL = 4096;

/** A few small tensors in one dispatch: numbers of a metrics row, say. */
const join: Variant<ConcatAttrs> = {
  id: "join",
  fits: ({ inputs, output, attrs: { axis } }) =>
    inputs.length > 1 && inputs.length <= JOINED && sizeOf(output.shape) <= SMALL &&
    sizeOf(output.shape.slice(0, axis)) === 1 && [...inputs, output].every(({ stored }) => !stored),
  lower({ inputs, output }) {
    const size = sizeOf(output.shape);
    const starts = inputs.map((_, k) =>
      inputs.slice(0, k).reduce((sum, { shape }) => sum + sizeOf(shape), 0)
    );
    const start = (k: number) => starts[k] ?? size;
    return single({
      name: "shape/join",
      source: joinSource,
      constants: { SIZE: size, START_1: start(1), START_2: start(2), START_3: start(3) },
      operands: [
        ...Array.from({ length: JOINED }, (_, k) => ({ input: Math.min(k, inputs.length - 1) })),
        "output",
      ],
      workgroups: workgroupsFor(size, 64),
    });
  },
};

export const concatVariants: readonly Variant<ConcatAttrs>[] = [join, ...copyVariants(concatCopies)];

/** Padding with dimensions joined that hold no padding of their own. */
function joinedPadding(inside: Shape, outside: Shape, before: readonly number[]) {
  const result: { inside: number; outside: number; before: number }[] = [];
  for (const [d, size] of outside.entries()) {
    const last = result.at(-1);
    if (last && inside[d] === size) {
      last.inside *= size;
      last.outside *= size;
      last.before *= size;
    } else result.push({ inside: inside[d], outside: size, before: before[d] });
  }
  return result.length > 0 ? result : [{ inside: 1, outside: 1, before: 0 }];
}

export const padVariants: readonly Variant<PadAttrs>[] = [{
  id: "pad",
  fits: () => true,
  lower({ inputs: [x], output, attrs: { before } }) {
    const dimensions = joinedPadding(x.shape, output.shape, before);
    const last = dimensions.at(-1)!;
    const vector = [last.inside, last.outside, last.before].every((value) => value % 4 === 0);
    const lists = ["outside", "inside", "before"].map((key) =>
      dimensions.map((dimension, d) =>
        dimension[key as keyof typeof dimension] / (vector && d === dimensions.length - 1 ? 4 : 1)
      )
    );
    return single({
      name: vector ? "shape/pad4" : "shape/pad",
      source: vector ? pad4Source : padSource,
      constants: {
        ...numbered("SIZE", lists[0], 1),
        ...numbered("IN", lists[1], 1),
        ...numbered("BEFORE", lists[2], 0),
      },
      operands: [{ input: 0 }, "output"],
      workgroups: workgroupsFor(sizeOf(lists[0]), 64),
    });
  },
}];

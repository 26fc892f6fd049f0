import {
  segmentMaxGradientVariants,
  segmentMaxVariants,
  segmentMeanGradientVariants,
  segmentMeanVariants,
  segmentSumVariants,
} from "../../../kernels/segment.ts";
import { formatShape, type Shape, sizeOf } from "../../util/shape.ts";
import type { Attrs, Call, TensorType, Variant } from "../gpu/kernel.ts";
import type { Op, Values } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { defineOp } from "./define.ts";
import type { OpName } from "./names.ts";
import { addSegments } from "./quick_loops.ts";

/**
 * Which rows make up which segment, as compressed rows, both ways: the row of edge e is `sources[e]`, and segment n has the
 * edges from `offsets[n]` to before `offsets[n + 1]`; row r stands in `segments[e]` for the e from `rowOffsets[r]` to before
 * `rowOffsets[r + 1]`. All u32. What lies behind the last offset is not read.
 */
export interface Segments {
  /** [N + 1]. */
  readonly offsets: Tensor;
  /** [E], below R. */
  readonly sources: Tensor;
  /** [R + 1]. */
  readonly rowOffsets: Tensor;
  /** [E], below N. */
  readonly segments: Tensor;
}

/** The other way round: rows are segments, and segments rows. */
export const transposed = ({ offsets, sources, rowOffsets, segments }: Segments): Segments => ({
  offsets: rowOffsets,
  sources: segments,
  rowOffsets: offsets,
  segments: sources,
});

const listsOf = (s: Segments) => [s.offsets, s.sources, s.rowOffsets, s.segments];
const segmentsIn = ([offsets, sources, rowOffsets, segments]: readonly Tensor[]): Segments => ({
  offsets,
  sources,
  rowOffsets,
  segments,
});

/** Segments and rows that four lists stand for. */
function countsOf(name: string, lists: readonly TensorType[]): { segments: number; rows: number } {
  const bad = lists.find(({ dtype, shape }) => dtype !== "u32" || shape.length !== 1);
  const [offsets, sources, rowOffsets, segments] = lists.map(({ shape }) => shape[0]);
  if (bad || sources !== segments || offsets < 2 || rowOffsets < 2) {
    const got = lists.map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`).join(", ");
    throw new TypeError(
      `${name}: want u32 lists offsets [N + 1], sources [E], rowOffsets [R + 1] and segments [E], got ${got}`,
    );
  }
  return { segments: offsets - 1, rows: rowOffsets - 1 };
}

function checkRows(name: string, what: string, { dtype, shape }: TensorType, rows: number): void {
  if (dtype === "f32" && shape.length > 0 && shape[0] === rows) return;
  throw new TypeError(`${name}: want f32 ${what} [${rows}, …], got ${dtype} ${formatShape(shape)}`);
}

const lengthsOf = (offsets: Values, edges: number) => (n: number): [number, number] => [
  offsets[n],
  Math.min(offsets[n + 1], edges),
];

interface Reduction {
  readonly kind: "sum" | "mean" | "maximum";
  readonly gradient: (dy: Tensor, node: Tensor) => Tensor;
  readonly variants: readonly Variant<Attrs>[];
}

function reduction(name: OpName, { kind, gradient, variants }: Reduction): Op<Attrs, OpName> {
  return defineOp({
    name,
    type([x, ...lists]) {
      const { segments, rows } = countsOf(name, lists);
      checkRows(name, "x", x, rows);
      return { shape: [segments, ...x.shape.slice(1)], dtype: "f32" };
    },
    reference([x, offsets, sources], { inputs, output }, into) {
      const rows = inputs[0].shape[0], width = sizeOf(output.shape.slice(1));
      const y = into?.fill(0) ?? new Float64Array(sizeOf(output.shape));
      const span = lengthsOf(offsets, sources.length);
      for (let n = 0; n < output.shape[0]; n++) {
        const [begin, end] = span(n);
        for (let e = begin; e < end; e++) {
          const from = Math.min(sources[e], rows - 1) * width, to = n * width;
          if (kind !== "maximum") {
            for (let f = 0; f < width; f++) y[to + f] += x[from + f];
            continue;
          }
          for (let f = 0; f < width; f++) {
            if (e === begin || x[from + f] > y[to + f]) y[to + f] = x[from + f];
          }
        }
        if (kind !== "mean" || end <= begin) continue;
        for (let f = 0; f < width; f++) y[n * width + f] /= end - begin;
      }
      return y;
    },
    ...kind !== "maximum" && {
      quick([x, offsets, sources], { output }, into) {
        const width = sizeOf(output.shape.slice(1));
        if (width % 4 !== 0) return null;
        const y = into ?? new Float64Array(sizeOf(output.shape));
        addSegments(x, offsets, sources, y, width, kind === "mean");
        return y;
      },
    },
    gradient: (dy, node) => [gradient(dy, node), null, null, null, null],
    lower: variants,
    flops: ({ inputs, output }) => inputs[2].shape[0] * sizeOf(output.shape.slice(1)),
  });
}

const segmentSumOp = reduction("segmentSum", {
  kind: "sum",
  gradient: (dy, { inputs: [, ...lists] }) => segmentSum(dy, transposed(segmentsIn(lists))),
  variants: segmentSumVariants,
});

const segmentMeanOp = reduction("segmentMean", {
  kind: "mean",
  gradient: (dy, { inputs: [, ...lists] }) => apply(meanGradientOp, [dy, ...lists], {}),
  variants: segmentMeanVariants,
});

const segmentMaxOp = reduction("segmentMax", {
  kind: "maximum",
  gradient: (dy, node) => apply(maxGradientOp, [dy, node.inputs[0], node, ...node.inputs.slice(1)], {}),
  variants: segmentMaxVariants,
});

/** Adds up, for every row and the segments that it stands in, what `share` makes of it. */
function gradientReference(
  [rowOffsets, segments]: readonly Values[],
  { output: { shape } }: Call,
  count: number,
  share: (segment: number, column: number, row: number) => number,
): Float64Array {
  const width = sizeOf(shape.slice(1));
  const dx = new Float64Array(sizeOf(shape));
  const span = lengthsOf(rowOffsets, segments.length);
  for (let row = 0; row < shape[0]; row++) {
    const [begin, end] = span(row);
    for (let e = begin; e < end; e++) {
      const segment = Math.min(segments[e], count - 1);
      for (let f = 0; f < width; f++) dx[row * width + f] += share(segment, f, row);
    }
  }
  return dx;
}

const gradientShape = (dy: TensorType, rows: number): Shape => [rows, ...dy.shape.slice(1)];
const gradientFlops = ({ inputs, output }: Call) =>
  2 * inputs.at(-1)!.shape[0] * sizeOf(output.shape.slice(1));

/** dx[r] = Σ dy[n] / (length of segment n) over the segments that row r stands in. */
const meanGradientOp = defineOp({
  name: "segmentMeanGradient",
  type([dy, ...lists]) {
    const { segments, rows } = countsOf("segmentMeanGradient", lists);
    checkRows("segmentMeanGradient", "dy", dy, segments);
    return { shape: gradientShape(dy, rows), dtype: "f32" };
  },
  reference([dy, offsets, sources, ...byRow], call) {
    const [count] = call.inputs[0].shape, width = sizeOf(call.output.shape.slice(1));
    const span = lengthsOf(offsets, sources.length);
    return gradientReference(byRow, call, count, (segment, f) => {
      const [begin, end] = span(segment);
      return dy[segment * width + f] / Math.max(1, end - begin);
    });
  },
  gradient: (
    dy,
    { inputs: [, ...lists] },
  ) => [segmentMean(dy, segmentsIn(lists)), null, null, null, null],
  lower: segmentMeanGradientVariants,
  flops: gradientFlops,
});

/** dx[r] = Σ dy[n] / (rows of segment n that equal its maximum) over the segments whose maximum row r is. */
const maxGradientOp = defineOp({
  name: "segmentMaxGradient",
  type([dy, x, y, ...lists]) {
    const { segments, rows } = countsOf("segmentMaxGradient", lists);
    checkRows("segmentMaxGradient", "dy", dy, segments);
    checkRows("segmentMaxGradient", "x", x, rows);
    checkRows("segmentMaxGradient", "y", y, segments);
    return { shape: gradientShape(dy, rows), dtype: "f32" };
  },
  reference([dy, x, y, offsets, sources, ...byRow], call) {
    const [count] = call.inputs[0].shape, [rows] = call.output.shape;
    const width = sizeOf(call.output.shape.slice(1));
    const span = lengthsOf(offsets, sources.length);
    return gradientReference(byRow, call, count, (segment, f, row) => {
      const at = segment * width + f;
      if (x[row * width + f] !== y[at]) return 0;
      const [begin, end] = span(segment);
      const winners = sources.subarray(begin, end)
        .filter((source) => x[Math.min(source, rows - 1) * width + f] === y[at]);
      return dy[at] / Math.max(1, winners.length);
    });
  },
  lower: segmentMaxGradientVariants,
  flops: gradientFlops,
});

export const segmentOps = {
  segmentSum: segmentSumOp,
  segmentMean: segmentMeanOp,
  segmentMeanGradient: meanGradientOp,
  segmentMax: segmentMaxOp,
  segmentMaxGradient: maxGradientOp,
};

/** Sums [N, …] of the rows of x [R, …] in each segment, in the order of its edges; 0 for an empty one. */
export function segmentSum(x: Tensor, segments: Segments): Tensor {
  return apply(segmentSumOp, [x, ...listsOf(segments)], {});
}

/** Means [N, …] of the rows of x [R, …] in each segment; 0, with no gradient, for an empty one. */
export function segmentMean(x: Tensor, segments: Segments): Tensor {
  return apply(segmentMeanOp, [x, ...listsOf(segments)], {});
}

/**
 * Largest elements [N, …] of the rows of x [R, …] in each segment; 0, with no gradient, for an empty one. Where several
 * edges lead to the largest, each takes an equal part of the gradient.
 */
export function segmentMax(x: Tensor, segments: Segments): Tensor {
  return apply(segmentMaxOp, [x, ...listsOf(segments)], {});
}

import maxGradientSource from "../shaders/segment/max_gradient.wgsl" with { type: "text" };
import maxGradient4Source from "../shaders/segment/max_gradient4.wgsl" with { type: "text" };
import meanGradientSource from "../shaders/segment/mean_gradient.wgsl" with { type: "text" };
import meanGradient4Source from "../shaders/segment/mean_gradient4.wgsl" with { type: "text" };
import reduceSource from "../shaders/segment/reduce.wgsl" with { type: "text" };
import reduce4Source from "../shaders/segment/reduce4.wgsl" with { type: "text" };
import { type Attrs, type Operand, single, type Variant, workgroupsFor } from "../src/engine/gpu/kernel.ts";
import { sizeOf } from "../src/util/shape.ts";

interface Kernel {
  readonly name: string;
  /** By scalars and by vec4s. */
  readonly sources: readonly [string, string];
  /** Inputs in the order of bindings: f32 rows, then lists of u32. */
  readonly operands: readonly number[];
  readonly constants?: Readonly<Record<string, number>>;
  /** Which inputs count the segments and the rows, with one number more. */
  readonly offsets: number;
  readonly rowOffsets: number;
}

/** A kernel with an invocation for each number of the result, or for four. */
function variantsOf(kernel: Kernel): readonly Variant<Attrs>[] {
  return [{
    id: "direct",
    fits: () => true,
    lower({ inputs, output }) {
      const width = sizeOf(output.shape.slice(1));
      const vector = width % 4 === 0;
      return single({
        name: `segment/${kernel.name}${vector ? "4" : ""}`,
        source: kernel.sources[vector ? 1 : 0],
        constants: {
          N: inputs[kernel.offsets].shape[0] - 1,
          ROWS: inputs[kernel.rowOffsets].shape[0] - 1,
          EDGES: inputs.at(-1)!.shape[0],
          F: vector ? width / 4 : width,
          ...kernel.constants,
        },
        operands: [...kernel.operands.map((input): Operand => ({ input })), "output"],
        workgroups: workgroupsFor(sizeOf(output.shape) / (vector ? 4 : 1), 64),
      });
    },
  }];
}

// Inputs: x, offsets, sources, row offsets, segments.
const reduction = (constants: Record<string, number>) =>
  variantsOf({
    name: "reduce",
    sources: [reduceSource, reduce4Source],
    operands: [0, 1, 2],
    constants,
    offsets: 1,
    rowOffsets: 3,
  });

export const segmentSumVariants = reduction({ MEAN: 0, MAXIMUM: 0 });
export const segmentMeanVariants = reduction({ MEAN: 1, MAXIMUM: 0 });
export const segmentMaxVariants = reduction({ MEAN: 0, MAXIMUM: 1 });

/** Inputs: dy, then the lists. */
export const segmentMeanGradientVariants = variantsOf({
  name: "mean_gradient",
  sources: [meanGradientSource, meanGradient4Source],
  operands: [0, 1, 3, 4],
  offsets: 1,
  rowOffsets: 3,
});

/** Inputs: dy, x, y, then the lists. */
export const segmentMaxGradientVariants = variantsOf({
  name: "max_gradient",
  sources: [maxGradientSource, maxGradient4Source],
  operands: [0, 1, 2, 3, 4, 5, 6],
  offsets: 3,
  rowOffsets: 5,
});

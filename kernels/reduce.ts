import sumSource from "../shaders/reduce/sum.wgsl" with { type: "text" };
import { single, type Variant, workgroupsFor } from "../src/engine/gpu/kernel.ts";
import { sizeOf } from "../src/util/shape.ts";

type SumAttrs = { axes: readonly number[]; scale: number };

/** Splits a shape at a contiguous run of reduced axes into [outer, reduced, inner]. */
function runOf(shape: readonly number[], axes: readonly number[]): { outer: number; reduced: number; inner: number } {
  const sorted = axes.toSorted((a, b) => a - b);
  const first = sorted[0] ?? 0, last = sorted.at(-1) ?? -1;
  return {
    outer: sizeOf(shape.slice(0, first)),
    reduced: sizeOf(shape.slice(first, last + 1)),
    inner: sizeOf(shape.slice(last + 1)),
  };
}

export const sumVariants: readonly Variant<SumAttrs>[] = [{
  id: "serial",
  fits: () => true,
  lower(call) {
    const { outer, reduced, inner } = runOf(call.inputs[0].shape, call.attrs.axes);
    return single({
      name: "reduce/sum",
      source: sumSource,
      constants: { OUTER: outer, REDUCED: reduced, INNER: inner, SCALE: call.attrs.scale },
      operands: [{ input: 0 }, "output"],
      workgroups: workgroupsFor(outer * inner, 64),
    });
  },
}];

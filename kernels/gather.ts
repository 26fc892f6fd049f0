import rowsSource from "../shaders/gather/rows.wgsl" with { type: "text" };
import rows4Source from "../shaders/gather/rows4.wgsl" with { type: "text" };
import scatterAddSource from "../shaders/gather/scatter_add.wgsl" with { type: "text" };
import scatterAdd4Source from "../shaders/gather/scatter_add4.wgsl" with { type: "text" };
import {
  type Attrs,
  type Call,
  type Lowering,
  single,
  type Variant,
  workgroupsFor,
} from "../src/engine/gpu/kernel.ts";
import { type Shape, sizeOf } from "../src/util/shape.ts";

export type ScatterAttrs = { readonly rows: number };

/** A kernel with an invocation for each element, or four, of the result; `table` has the rows that indices name. */
function lowerRows(call: Call, name: string, sources: readonly [string, string], table: Shape): Lowering {
  const width = sizeOf(table.slice(1));
  const vector = width % 4 === 0;
  return single({
    name: `gather/${name}${vector ? "4" : ""}`,
    source: sources[vector ? 1 : 0],
    constants: { N: call.inputs[1].shape[0], ROWS: table[0], F: vector ? width / 4 : width },
    operands: [{ input: 0 }, { input: 1 }, "output"],
    workgroups: workgroupsFor(sizeOf(call.output.shape) / (vector ? 4 : 1), 64),
  });
}

export const gatherVariants: readonly Variant<Attrs>[] = [{
  id: "direct",
  fits: () => true,
  lower: (call) => lowerRows(call, "rows", [rowsSource, rows4Source], call.inputs[0].shape),
}];

export const scatterAddVariants: readonly Variant<ScatterAttrs>[] = [{
  id: "scan",
  fits: () => true,
  lower: (call) => lowerRows(call, "scatter_add", [scatterAddSource, scatterAdd4Source], call.output.shape),
}];

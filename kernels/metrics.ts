import appendSource from "../shaders/metrics/append.wgsl" with { type: "text" };
import { type Dispatch, workgroupsFor } from "../src/engine/gpu/kernel.ts";

/** Appends a row to a ring: inputs are the row number (u32), the values and the norms; the output is the ring. */
export function lowerAppend(values: number, norms: number, rows: number): Dispatch {
  return {
    name: "metrics/append",
    source: appendSource,
    constants: { VALUES: values, NORMS: norms, ROWS: rows },
    operands: [{ input: 0 }, { input: 1 }, { input: 2 }, "output"],
    workgroups: workgroupsFor(values + norms, 32),
  };
}

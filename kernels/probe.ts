import copySource from "../shaders/probe/copy.wgsl" with { type: "text" };
import fmaSource from "../shaders/probe/fma.wgsl" with { type: "text" };
import { type Dispatch, workgroupsFor } from "../src/engine/gpu/kernel.ts";

/** Invocations of a workgroup of either kernel. */
const LANES = 256;
/** Multiply-adds that one invocation makes in a round: 32 of vectors of 4. */
const FMAS = 32 * 4;

/** Multiply-adds in registers, and the FLOPs that they come to. Binding: one number an invocation. */
export function lowerFma(
  workgroups: number,
  rounds: number,
): { dispatch: Dispatch; flops: number; bytes: number } {
  const threads = workgroups * LANES;
  return {
    dispatch: {
      name: "probe/fma",
      source: fmaSource,
      constants: { ROUNDS: rounds },
      operands: ["output"],
      workgroups: [workgroups, 1, 1],
    },
    flops: 2 * FMAS * rounds * threads,
    bytes: 4 * threads,
  };
}

/** Bytes that one workgroup copies. */
const COPIED = LANES * 4 * 16;

/** A copy of at most `bytes`, and what it reads and writes in all. Bindings: source, target. */
export function lowerCopy(bytes: number): { dispatch: Dispatch; bytes: number } {
  const workgroups = Math.max(1, Math.floor(bytes / COPIED));
  const folded = workgroupsFor(workgroups, 1);
  return {
    dispatch: {
      name: "probe/copy",
      source: copySource,
      constants: {},
      operands: [{ input: 0 }, "output"],
      workgroups: folded,
    },
    bytes: 2 * workgroups * COPIED,
  };
}

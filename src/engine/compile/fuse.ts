import { sameShape } from "../../util/shape.ts";
import type { Elementwise, Op } from "../graph/op.ts";
import type { Tensor } from "../graph/tensor.ts";

/** One element-wise kernel: the nodes that it computes in order, the last being its result, and what it reads. */
export interface Fusion {
  readonly nodes: readonly Tensor[];
  readonly reads: readonly Tensor[];
}

/** WebGPU's default of 8 storage buffers a stage, less one for the result. */
const MAX_READS = 7;
/** Software adapters compile long kernels slower than linearly. */
const MAX_NODES = 24;

export function formulaOf(op: Op | null): Elementwise | null {
  return op !== null && typeof op.lower === "object" && "wgsl" in op.lower ? op.lower : null;
}

/** Constants cost nothing to compute again, so every consumer holds its own. */
const isConstant = (node: Tensor) => formulaOf(node.op) !== null && node.inputs.length === 0;

/**
 * Groups element-wise nodes into kernels. A node joins its consumer where that is its only one, computes a tensor of the
 * same shape, and the node need not be in memory (`kept`, materialised).
 */
export function fuse(order: readonly Tensor[], kept: ReadonlySet<Tensor>): Map<Tensor, Fusion> {
  const consumers = new Map<Tensor, Set<Tensor>>();
  for (const node of order) {
    for (const input of node.inputs) {
      if (!consumers.has(input)) consumers.set(input, new Set());
      consumers.get(input)!.add(node);
    }
  }
  const groups = new Map<Tensor, Fusion>();
  const joined = new Set<Tensor>();
  for (const node of order) {
    if (!formulaOf(node.op)) continue;
    let nodes: Tensor[] = [];
    let reads: Tensor[] = [];
    for (const input of new Set(node.inputs)) {
      const group = groups.get(input);
      const merged = group ? [...new Set([...reads, ...group.reads])] : [];
      const later = node.inputs.filter((other) =>
        other !== input && !nodes.includes(other) && !reads.includes(other)
      );
      const fits = merged.length + later.length <= MAX_READS &&
        nodes.length + (group?.nodes.length ?? 0) < MAX_NODES;
      const mayJoin = group && fits && (isConstant(input) ||
        (consumers.get(input)!.size === 1 && !kept.has(input) && !input.materialised &&
          sameShape(input.shape, node.shape)));
      if (mayJoin) {
        nodes = [...new Set([...nodes, ...group.nodes])];
        reads = merged;
        joined.add(input);
      } else if (!reads.includes(input)) {
        reads = [...reads, input];
      }
    }
    groups.set(node, { nodes: [...nodes, node], reads });
  }
  // What joined its consumers has no kernel of its own, unless somebody reads it from memory.
  const readFromMemory = new Set(kept);
  for (const node of order) {
    if (!formulaOf(node.op)) { for (const input of node.inputs) readFromMemory.add(input); }
  }
  for (const node of order) {
    if (groups.has(node) && !joined.has(node)) {
      for (const input of groups.get(node)!.reads) readFromMemory.add(input);
    }
  }
  for (const node of joined) if (!readFromMemory.has(node)) groups.delete(node);
  return groups;
}

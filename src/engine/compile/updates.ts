import { sameShape } from "../../util/shape.ts";
import type { BufferView } from "../gpu/allocator.ts";
import type { Source, Tensor } from "../graph/tensor.ts";
import { memoryOf, reachable } from "../graph/trace.ts";
import { formulaOf } from "./fuse.ts";
import type { Write } from "./program.ts";

/**
 * Element-wise tensors that replace a source of the graph which nothing else reads (a running average), with that source:
 * a kernel may read each of its elements and then overwrite it, where otherwise a copy would be needed.
 */
export function updatesInPlace(
  writes: readonly Write[],
  outputs: readonly Tensor[],
  memory: (source: Source) => BufferView,
): Map<Tensor, Tensor> {
  const order = reachable([...writes.map(({ tensor }) => tensor), ...outputs]);
  const readers = new Map<Tensor, Tensor[]>();
  for (const node of order) {
    if (node.op?.lower === "view") continue;
    for (const read of node.inputs.map(memoryOf)) readers.set(read, [...readers.get(read) ?? [], node]);
  }
  const kept = new Set(outputs.map(memoryOf));
  const updates = new Map<Tensor, Tensor>();
  for (const { tensor, into } of writes) {
    if (!formulaOf(tensor.op) || readers.has(tensor)) continue;
    const formulas = formulasBehind(tensor);
    const inBuffer = [...new Set([...formulas].flatMap(({ inputs }) => inputs.map(memoryOf)))]
      .filter(({ source }) => source && source.kind !== "step" && memory(source).buffer === into.buffer);
    const [source] = inBuffer;
    if (
      inBuffer.length === 1 && !kept.has(source) && memory(source.source!).offset === into.offset &&
      sameShape(source.shape, tensor.shape) && readers.get(source)!.every((node) => formulas.has(node))
    ) updates.set(tensor, source);
  }
  return updates;
}

/** A tensor and the element-wise nodes that lead to it through nothing else. */
function formulasBehind(tensor: Tensor, found = new Set<Tensor>()): Set<Tensor> {
  if (!formulaOf(tensor.op) || found.has(tensor)) return found;
  found.add(tensor);
  for (const input of tensor.inputs) formulasBehind(input, found);
  return found;
}

import { sizeOf } from "../../util/shape.ts";
import { alignUp } from "../gpu/allocator.ts";
import type { DeviceTraits } from "../gpu/kernel.ts";
import type { Tensor } from "../graph/tensor.ts";
import { memoryOf, reachable } from "../graph/trace.ts";
import { range } from "../ops/shape.ts";
import { BLOCK } from "./parts.ts";
import { callOf, firstFit } from "./schedule.ts";

/** A tensor and where it is wanted. */
interface Placed {
  readonly tensor: Tensor;
  readonly into: { readonly buffer: object; readonly offset: number };
}

/** The kernel that a device takes for a node by itself; null for formulas and views. */
function kernelOf(node: Tensor, device: DeviceTraits): string | null {
  const { name, lower } = node.op!;
  if (typeof lower === "string" || "wgsl" in lower) return null;
  return firstFit(name, lower, callOf(node), device).id;
}

/**
 * Pairs of tensors that one kernel computes beside one another, and that are wanted so (the gradients of a layer's weights
 * and, in the store's next block, of its bias), as parts of one. Nothing else may read either, and the kernel must be the
 * one that the first has by itself: a CPU has others, and so have wide convolutions.
 */
export function joinGradients<W extends Placed>(
  writes: readonly W[],
  outputs: readonly Tensor[],
  device: DeviceTraits,
): W[] {
  const used = new Set(outputs.map(memoryOf));
  for (const node of reachable([...writes.map(({ tensor }) => tensor), ...outputs])) {
    if (node.op?.lower !== "view") { for (const input of node.inputs) used.add(memoryOf(input)); }
  }
  const isFree = ({ tensor }: W) =>
    !used.has(memoryOf(tensor)) && sizeOf(tensor.shape) === sizeOf(memoryOf(tensor).shape);
  const joined = [...writes];
  for (const [first, { tensor, into }] of writes.entries()) {
    const begin = alignUp(sizeOf(tensor.shape), BLOCK);
    const second = writes.findIndex((other) =>
      other.into.buffer === into.buffer && other.into.offset === into.offset + 4 * begin
    );
    if (second === -1 || !isFree(writes[first]) || !isFree(writes[second])) continue;
    const node = memoryOf(tensor), other = writes[second];
    const both = node.op?.beside?.(node, other.tensor, begin);
    if (!both || kernelOf(both, device) !== kernelOf(node, device)) continue;
    joined[first] = { ...writes[first], tensor: range(both, 0, tensor.shape) };
    joined[second] = { ...other, tensor: range(both, begin, other.tensor.shape) };
  }
  return joined;
}

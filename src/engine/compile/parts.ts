import { sizeOf } from "../../util/shape.ts";
import { alignUp, type BufferView } from "../gpu/allocator.ts";
import type { Tensor } from "../graph/tensor.ts";
import { memoryOf, offsetOf, reachable } from "../graph/trace.ts";
import { formulaOf } from "./fuse.ts";
import type { Write } from "./program.ts";

/** Numbers that a part's place is rounded up to, in its tensor and where it is wanted. */
export const BLOCK = 64;

/**
 * Tensors whose parts are all wanted where the tensor would have them if it were there itself, with that place: the whole
 * is computed into it, though others read it, too. `writable` says which places kernels that read the graph's sources may
 * write.
 */
export function writesInPlace(
  writes: readonly Write[],
  outputs: readonly Tensor[],
  writable: (place: BufferView) => boolean,
): Map<Tensor, BufferView> {
  const parts = Map.groupBy(writes, ({ tensor }) => memoryOf(tensor));
  const places = new Map<Tensor, BufferView>();
  const kept = new Set(outputs.map(memoryOf));
  for (const [whole, written] of parts) {
    const place = written.length > 1 && whole.op && !kept.has(whole) ? placeOfParts(whole, written) : null;
    if (!place || !writable(place)) continue;
    const beside = writes.filter(({ into, tensor }) =>
      into.buffer === place.buffer && memoryOf(tensor) !== whole
    );
    const targets = new Set(beside.map(({ tensor }) => memoryOf(tensor)));
    if (!readerWrites(whole, targets, [...writes.map(({ tensor }) => tensor), ...outputs])) {
      places.set(whole, place);
    }
  }
  return places;
}

/** Where a tensor lies if its parts, which must fill it, lie where they are written; null if they lie otherwise. */
function placeOfParts(whole: Tensor, written: readonly Write[]): BufferView | null {
  const parts = written.toSorted((a, b) => offsetOf(a.tensor) - offsetOf(b.tensor));
  const { buffer, offset } = parts[0].into;
  let end = 0;
  for (const { tensor, into } of parts) {
    if (offsetOf(tensor) !== end || into.buffer !== buffer || into.offset !== offset + 4 * end) return null;
    end = alignUp(end + sizeOf(tensor.shape), BLOCK);
  }
  const fits = end === alignUp(sizeOf(whole.shape), BLOCK) && offset + 4 * end <= buffer.size;
  return fits ? { buffer, offset, size: 4 * end } : null;
}

/** Whether a kernel that reads `whole`, or what may be joined to it, computes one of `targets`. */
function readerWrites(whole: Tensor, targets: ReadonlySet<Tensor>, roots: readonly Tensor[]): boolean {
  const joined = new Set<Tensor>();
  for (const node of reachable(roots)) {
    const memories = node.inputs.map(memoryOf);
    const reads = memories.includes(whole);
    const follows = formulaOf(node.op) !== null && memories.some((memory) => joined.has(memory));
    if (node.op?.lower === "view" || !(reads || follows)) continue;
    if (targets.has(node)) return true;
    joined.add(node);
  }
  return false;
}

import { sizeOf } from "../../util/shape.ts";
import { atOnce } from "../../util/turns.ts";
import type { Call, DeviceTraits, Variant } from "../gpu/kernel.ts";
import { single } from "../gpu/kernel.ts";
import type { Tensor } from "../graph/tensor.ts";
import { memoryOf, reachable } from "../graph/trace.ts";
import { fuse } from "./fuse.ts";
import { emitFusion } from "./fuse_emit.ts";
import { type Halves, NO_HALVES, storedCallOf } from "./storage.ts";
import { type Draft, joinTasks, type Task } from "./fuse_hooks.ts";
import { joinUpdates } from "./fuse_updates.ts";

/** Picks a kernel for an op; the default takes the first variant that fits. */
export type ChooseVariant = (
  op: string,
  variants: readonly Variant[],
  call: Call,
  device: DeviceTraits,
) => Variant;

export const firstFit: ChooseVariant = (op, variants, call, device) => {
  const variant = variants.find((v) => v.fits(call, device));
  if (!variant) throw new Error(`internal: no kernel of ${op} fits ${JSON.stringify(call)}`);
  return variant;
};

export function callOf(node: Tensor): Call {
  return { inputs: node.inputs, output: node, attrs: node.attrs };
}

/** FLOPs of a graph: of every node that the outputs depend on. */
export function flopsOf(outputs: Iterable<Tensor>): number {
  return reachable(outputs).reduce((total, node) => total + (node.op?.flops(callOf(node)) ?? 0), 0);
}

/**
 * Orders and fuses the graph of `outputs` (all of which end up in memory) into tasks. `updates` are tensors that overwrite
 * the source they are computed from, with that source.
 */
export function schedule(
  outputs: readonly Tensor[],
  device: DeviceTraits,
  choose: ChooseVariant,
  halves: Halves = NO_HALVES,
  updates: ReadonlyMap<Tensor, Tensor> = new Map(),
): Task[] {
  return atOnce(scheduling(outputs, device, choose, halves, updates));
}

/** The same with pauses, for work in the background. */
export function* scheduling(
  outputs: readonly Tensor[],
  device: DeviceTraits,
  choose: ChooseVariant,
  halves: Halves,
  updates: ReadonlyMap<Tensor, Tensor>,
): Generator<void, Task[]> {
  const order = reachable(outputs);
  const kept = new Set(outputs.map(memoryOf));
  const fusions = fuse(order, kept);
  const drafts: Draft[] = [];
  for (const node of order) {
    const { op } = node;
    if (!op || op.lower === "view") continue;
    yield;
    if ("wgsl" in op.lower) {
      const fusion = fusions.get(node);
      if (!fusion) continue;
      const flops = fusion.nodes.reduce((total, n) => total + n.op!.flops(callOf(n)), 0);
      const source = fusion.reads.find((read) => read === updates.get(node));
      const lowering = single(emitFusion(fusion, device.software, source));
      const reads = fusion.reads.filter((read) => read !== source);
      drafts.push({
        reads,
        result: node,
        lowering,
        flops,
        ...(source ? { update: { fusion, source } } : { fusion }),
      });
    } else {
      const call = storedCallOf(node, halves);
      const lowering = choose(op.name, op.lower, call, device).lower(call, device);
      drafts.push({ reads: node.inputs, result: node, lowering, flops: op.flops(call) });
    }
  }
  yield;
  const tasks = joinTasks(drafts, kept);
  yield;
  return joinUpdates(tasks);
}

/** Bytes of a tensor in memory. */
export function bytesOf(tensor: Tensor, halves: Halves = NO_HALVES): number {
  return sizeOf(tensor.shape) * (halves.has(tensor) ? 2 : 4);
}

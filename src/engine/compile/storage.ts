import type { Gpu } from "../gpu/device.ts";
import { GpuError } from "../gpu/errors.ts";
import type { Call } from "../gpu/kernel.ts";
import type { Op } from "../graph/op.ts";
import type { Tensor } from "../graph/tensor.ts";
import { memoryOf } from "../graph/trace.ts";
import { sizeOf } from "../../util/shape.ts";
import { formulaOf } from "./fuse.ts";

/** How a program stores what it computes: all as f32, or activations and their cotangents as f16. */
export type Precision = "fp32" | "mixed";

/** Tensors (never views) that a program stores as f16. */
export type Halves = ReadonlySet<Tensor>;

export const NO_HALVES: Halves = new Set();

const storageOf = (op: Op | null) => op?.storage ?? (formulaOf(op) ? "inherited" : undefined);

/**
 * The tensors of a graph that mixed precision stores as f16: what ops say (`Op.storage`), as it follows from the sources.
 * `kept` is what leaves the program, which stays f32: gradients of parameters, statistics, metrics. The choice depends on
 * nothing else around a node, so that programs which share a part of a network compute it alike.
 */
export function storedAsHalves(order: readonly Tensor[], kept: ReadonlySet<Tensor>): Halves {
  const consumers = new Map<Tensor, Op[]>();
  const inParts = new Set<Tensor>();
  for (const node of order) {
    // Bindings begin at multiples of 256 bytes: parts are laid out for f32.
    if (sizeOf(node.shape) !== sizeOf(memoryOf(node).shape)) inParts.add(memoryOf(node));
    if (node.op?.lower === "view") continue;
    for (const memory of node.inputs.map(memoryOf)) {
      consumers.set(memory, [...consumers.get(memory) ?? [], node.op!]);
    }
  }
  const halves = new Set<Tensor>();
  for (const node of order) {
    const storage = storageOf(node.op);
    if (node.dtype !== "f32" || kept.has(node) || inParts.has(node)) continue;
    if (storage !== "half" && storage !== "inherited") continue;
    if (storage === "inherited" && !node.inputs.some((input) => halves.has(memoryOf(input)))) continue;
    // Terms of a sum, and logits. What programs share may have other readers in each.
    if (!node.materialised && consumers.get(node)!.every((op) => op.storage === "exact")) continue;
    halves.add(node);
  }
  return halves;
}

/** A node as its kernels see it. */
export function storedCallOf(node: Tensor, halves: Halves): Call {
  const typed = (tensor: Tensor) => {
    const { shape, dtype } = tensor;
    return halves.has(memoryOf(tensor)) ? { shape, dtype, stored: "f16" as const } : { shape, dtype };
  };
  return { inputs: node.inputs.map(typed), output: typed(node), attrs: node.attrs };
}

/** @throws {GpuError} if the device has no f16. */
export function requireHalves({ traits, adapter }: Gpu, what: string): void {
  if (traits.features.has("shader-f16")) return;
  throw new GpuError(
    `${what}: want the WebGPU feature shader-f16 for mixed precision, got an adapter without it ` +
      `(${adapter.description}, ${adapter.backend}); set engine.precision to fp32, or use another --backend`,
  );
}

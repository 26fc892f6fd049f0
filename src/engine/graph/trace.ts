import type { Tensor } from "./tensor.ts";

/** All tensors that the outputs depend on, each after its inputs. */
export function reachable(outputs: Iterable<Tensor>): Tensor[] {
  const seen = new Set<Tensor>();
  const stack = [...outputs];
  for (let tensor = stack.pop(); tensor; tensor = stack.pop()) {
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    stack.push(...tensor.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** Numbers between the start of a tensor's memory (`memoryOf`) and its own first. */
export function offsetOf({ op, attrs, inputs }: Tensor): number {
  return op?.lower === "view" ? (op.offset?.(attrs) ?? 0) + offsetOf(inputs[0]) : 0;
}

/** The tensor whose memory a tensor occupies: itself, or what it is a view of. */
export function memoryOf(tensor: Tensor): Tensor {
  while (tensor.op?.lower === "view") tensor = tensor.inputs[0];
  return tensor;
}

/** WebGPU calls since the last reset, and bytes of buffers, whoever makes them. */
export interface GpuCalls {
  readonly dispatches: number;
  readonly passes: number;
  readonly submits: number;
  readonly bindGroups: number;
  readonly buffers: number;
  readonly writes: number;
  /** Most bytes in buffers at once, from the start. */
  readonly peakBytes: number;
}

type Counts = { -readonly [name in Exclude<keyof GpuCalls, "peakBytes">]: number };

const COUNTED: readonly [type: string, method: string, count: keyof Counts][] = [
  ["GPUComputePassEncoder", "dispatchWorkgroups", "dispatches"],
  ["GPUComputePassEncoder", "dispatchWorkgroupsIndirect", "dispatches"],
  ["GPUCommandEncoder", "beginComputePass", "passes"],
  ["GPUQueue", "submit", "submits"],
  ["GPUDevice", "createBindGroup", "bindGroups"],
  ["GPUDevice", "createBuffer", "buffers"],
  ["GPUQueue", "writeBuffer", "writes"],
];

const NONE: Counts = { dispatches: 0, passes: 0, submits: 0, bindGroups: 0, buffers: 0, writes: 0 };

type Method = (this: object, ...args: unknown[]) => unknown;

/** Calls `after` with the receiver, the result and the arguments of every call of a method of a global type. */
function tap(
  type: string,
  method: string,
  after: (self: object, result: object, first: unknown) => void,
): void {
  const { prototype } =
    (globalThis as unknown as Record<string, { prototype: Record<string, Method> }>)[type];
  const original = prototype[method];
  prototype[method] = function (...args) {
    const result = original.apply(this, args);
    after(this, result as object, args[0]);
    return result;
  };
}

/** Counts from now on. */
export function watchGpu(): { reset(): void; read(): GpuCalls } {
  const counts = { ...NONE };
  const sizes = new WeakMap<object, number>();
  let live = 0, peakBytes = 0;
  for (const [type, method, count] of COUNTED) tap(type, method, () => counts[count]++);
  tap("GPUDevice", "createBuffer", (_device, buffer, descriptor) => {
    const { size } = descriptor as GPUBufferDescriptor;
    sizes.set(buffer, size);
    live += size;
    peakBytes = Math.max(peakBytes, live);
  });
  tap("GPUBuffer", "destroy", (buffer) => {
    live -= sizes.get(buffer) ?? 0;
    sizes.delete(buffer);
  });
  return { reset: () => void Object.assign(counts, NONE), read: () => ({ ...counts, peakBytes }) };
}

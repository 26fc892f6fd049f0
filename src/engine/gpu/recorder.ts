import type { BufferView } from "./allocator.ts";
import type { Gpu } from "./device.ts";
import type { Dispatch } from "./kernel.ts";
import type { Pipeline } from "./pipeline_cache.ts";

/** How much a dispatch has to do, as profiles count it. */
export interface Work {
  /** Op and shapes; the kernel's name where no op stands behind it. */
  readonly what: string;
  /** Multiplications and additions. */
  readonly flops: number;
  /** Of its operands, each read or written once. */
  readonly bytes: number;
}

/** A dispatch with everything it needs, ready to be replayed. */
export interface BoundDispatch {
  /** `family/file` of its kernel. */
  readonly name: string;
  /** The compiled kernel. */
  readonly pipeline: GPUComputePipeline;
  /** Its operands. */
  readonly bindGroup: GPUBindGroup;
  /** Workgroups in x, y and z. */
  readonly workgroups: readonly [number, number, number];
  /** What profiles say of it. */
  readonly work: Work;
  /** Buffers that it writes to. */
  readonly writes: readonly GPUBuffer[];
}

/** Compiles (or finds) the pipeline of a dispatch and binds its operands. */
export async function bind(
  gpu: Gpu,
  dispatch: Dispatch,
  views: readonly BufferView[],
  work: Partial<Work> = {},
): Promise<BoundDispatch> {
  const pipeline = await gpu.pipelines.get(dispatch, views.map(({ stored }) => stored === "f16"));
  return bindTo(gpu, pipeline, dispatch, views, work);
}

/** Binds the operands of a dispatch whose pipeline is there. */
export function bindTo(
  gpu: Gpu,
  { pipeline, layout, access }: Pipeline,
  dispatch: Dispatch,
  views: readonly BufferView[],
  work: Partial<Work> = {},
): BoundDispatch {
  if (access.length !== views.length) {
    throw new Error(
      `internal: kernel ${dispatch.name} declares ${access.length} bindings, got ${views.length}`,
    );
  }
  // Dawn and browsers refuse such a dispatch, wgpu takes some: it must fail everywhere.
  for (const [k, view] of views.entries()) {
    if (access[k] !== "read_write") continue;
    const other = views.findIndex((v, j) => j !== k && v.buffer === view.buffer);
    if (other !== -1) {
      throw new Error(`internal: kernel ${dispatch.name} binds one buffer at ${k} (written) and at ${other}`);
    }
  }
  const bindGroup = gpu.device.createBindGroup({
    label: dispatch.name,
    layout,
    entries: views.map(({ buffer, offset, size }, binding) => ({
      binding,
      resource: { buffer, offset, size },
    })),
  });
  const bytes = views.reduce((total, { size }) => total + size, 0);
  return {
    name: dispatch.name,
    pipeline,
    bindGroup,
    workgroups: dispatch.workgroups,
    work: { what: dispatch.name, flops: 0, bytes, ...work },
    writes: views.filter((_, k) => access[k] === "read_write").map(({ buffer }) => buffer),
  };
}

/** Encodes a pass of dispatches, in order. */
export function encodePass(
  encoder: GPUCommandEncoder,
  lists: readonly (readonly BoundDispatch[])[],
  descriptor: GPUComputePassDescriptor = {},
): void {
  const pass = encoder.beginComputePass(descriptor);
  for (const list of lists) {
    for (const { pipeline, bindGroup, workgroups } of list) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    }
  }
  pass.end();
}

/** Replays dispatches in order: one encoder, one pass, one submit. */
export function replay(gpu: Gpu, ...lists: readonly (readonly BoundDispatch[])[]): void {
  const encoder = gpu.device.createCommandEncoder();
  encodePass(encoder, lists);
  gpu.device.queue.submit([encoder.finish()]);
}

import { sizeOf } from "../../util/shape.ts";
import type { Dispatch, Lowering } from "../gpu/kernel.ts";
import type { Tensor } from "../graph/tensor.ts";
import { memoryOf } from "../graph/trace.ts";
import type { Fusion } from "./fuse.ts";
import { emitBody, isVector, labelOf, type Width } from "./fuse_emit.ts";

/** One kernel call of a program: what it reads and writes, and its dispatches. */
export interface Task {
  readonly reads: readonly Tensor[];
  readonly result: Tensor;
  readonly lowering: Lowering;
  readonly flops: number;
}

/** A task before kernels are joined; `fusion` where it is element-wise. */
export interface Draft extends Task {
  readonly fusion?: Fusion;
}

/** WebGPU's default of storage buffers a stage. */
const MAX_BINDINGS = 8;

/** What a kernel does with each result before it writes it: nothing, unless the compiler gives the function a body. */
const EPILOGUE = /^fn epilogue\(at: u32, value: (f32|vec4f)\) -> \1 \{ return value; \}$/m;

/**
 * A lowering that also computes the consumer of its result: its last dispatch passes each result through the fusion and
 * writes what comes out. `values` are the reads of the fusion that are the lowering's result, `inputs` the number of the
 * lowering's own inputs; the fusion's other reads follow them. Null where the kernel has no hook, cannot bind so much, or
 * computes four elements at a time where the fusion must have them one by one.
 */
function withEpilogue(
  lowering: Lowering,
  fusion: Fusion,
  values: readonly Tensor[],
  inputs: number,
): { lowering: Lowering; reads: readonly Tensor[] } | null {
  const last = lowering.dispatches.at(-1)!;
  const hook = EPILOGUE.exec(last.source);
  const writers = lowering.dispatches.filter(({ operands }) => operands.includes("output"));
  const size = sizeOf(fusion.nodes.at(-1)!.shape);
  if (!hook || writers.length !== 1 || writers[0] !== last) return null;
  if (values.some(({ shape }) => sizeOf(shape) !== size)) return null;
  const width: Width = hook[1] === "vec4f" ? 4 : 1;
  if (width === 4 && !isVector(fusion)) return null;
  const { bindings, statements, result, reads } = emitBody(fusion, width, {
    at: "at",
    prefix: "beside",
    first: last.operands.length,
    given: new Map(values.map((tensor) => [tensor, "value"])),
  });
  if (last.operands.length + reads.length > MAX_BINDINGS) return null;
  const body = `${bindings.join("\n")}
fn epilogue(at: u32, value: ${hook[1]}) -> ${hook[1]} {
  ${statements.join("\n  ")}
  return ${result};
}`;
  const dispatch: Dispatch = {
    ...last,
    name: `${last.name}+${labelOf(fusion)}`,
    source: last.source.replace(EPILOGUE, () => body),
    operands: [...last.operands, ...reads.map((_, k) => ({ input: inputs + k }))],
  };
  return { lowering: { ...lowering, dispatches: [...lowering.dispatches.slice(0, -1), dispatch] }, reads };
}

/** Whether a tensor, or a view between it and its memory, must be in memory. */
function isMaterialised(tensor: Tensor): boolean {
  return tensor.materialised || (tensor.op?.lower === "view" && isMaterialised(tensor.inputs[0]));
}

/**
 * Joins each element-wise task to a kernel of which it is the only reader, where that kernel has a hook for it: of several
 * such kernels, to the last. The joined task runs where the element-wise one did, when all that it reads is there. Views
 * between the two change nothing: they keep the order of the elements.
 */
export function joinEpilogues(drafts: readonly Draft[], kept: ReadonlySet<Tensor>): Task[] {
  const readers = new Map<Tensor, Set<Draft>>();
  for (const draft of drafts) {
    for (const memory of draft.reads.map(memoryOf)) {
      readers.set(memory, (readers.get(memory) ?? new Set()).add(draft));
    }
  }
  const producers = new Map<Tensor, Draft>();
  const tasks = new Map<Draft, Task>();
  for (const draft of drafts) {
    let task: Task = draft;
    if (draft.fusion) {
      for (const producer of [...producers.values()].reverse()) {
        const values = draft.reads.filter((tensor) => memoryOf(tensor) === producer.result);
        const free = values.length > 0 && readers.get(producer.result)!.size === 1 &&
          sizeOf(producer.result.shape) === sizeOf(draft.result.shape) &&
          !kept.has(producer.result) && !values.some(isMaterialised);
        const joined = free && withEpilogue(producer.lowering, draft.fusion, values, producer.reads.length);
        if (!joined) continue;
        task = {
          reads: [...producer.reads, ...joined.reads],
          result: draft.result,
          lowering: joined.lowering,
          flops: producer.flops + draft.flops,
        };
        tasks.delete(producer);
        producers.delete(producer.result);
        break;
      }
    } else producers.set(draft.result, draft);
    tasks.set(draft, task);
  }
  return [...tasks.values()];
}

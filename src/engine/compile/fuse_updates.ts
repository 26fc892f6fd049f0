import { sizeOf } from "../../util/shape.ts";
import type { Dispatch, Lowering } from "../gpu/kernel.ts";
import type { Tensor } from "../graph/tensor.ts";
import { memoryOf } from "../graph/trace.ts";
import { emitBody, isVector, labelOf, type Width } from "./fuse_emit.ts";
import { type Draft, EPILOGUE, type Task, type Update } from "./fuse_hooks.ts";

/** WebGPU's default of storage buffers a stage. */
const MAX_BINDINGS = 8;

/**
 * A lowering whose last dispatch also takes each result, `value`, into the source of the update, which is bound as input
 * `input`. Null where the kernel has no hook for its results, or has done something else with them.
 */
function withUpdate(
  lowering: Lowering,
  { fusion, source }: Update,
  value: Tensor,
  input: number,
): Lowering | null {
  const last = lowering.dispatches.at(-1)!;
  const hook = EPILOGUE.exec(last.source);
  const writers = lowering.dispatches.filter(({ operands }) => operands.includes("output"));
  if (!hook || writers.length !== 1 || writers[0] !== last || last.operands.length === MAX_BINDINGS) {
    return null;
  }
  const width: Width = hook[1] === "vec4f" ? 4 : 1;
  if (width === 4 && !isVector(fusion)) return null;
  const { statements, result } = emitBody(fusion, width, {
    at: "at",
    prefix: "beside",
    slot: (k) => k,
    given: new Map([[value, "value"], [source, "updated[at]"]]),
  });
  const body = `@group(0) @binding(${last.operands.length}) var<storage, read_write> updated: array<${
    hook[1]
  }>;
fn epilogue(at: u32, value: ${hook[1]}) -> ${hook[1]} {
  ${statements.join("\n  ")}
  updated[at] = ${result};
  return value;
}`;
  const dispatch: Dispatch = {
    ...last,
    name: `${last.name}&${labelOf(fusion)}`,
    source: last.source.replace(EPILOGUE, () => body),
    operands: [...last.operands, { input }],
  };
  return { dispatches: [...lowering.dispatches.slice(0, -1), dispatch], scratchBytes: lowering.scratchBytes };
}

/**
 * Joins each update in place (a running average) to the kernel whose result it takes in, where that has a hook: as nothing
 * else reads what is updated, it may be so at any time. Kernels that read memory of the caller are left alone: theirs may lie
 * in the same buffer, which no kernel may read and write.
 */
export function joinUpdates(drafts: readonly Draft[]): Task[] {
  const tasks = new Map<Tensor, Draft>(drafts.map((draft) => [draft.result, draft]));
  for (const { update, result, reads, flops } of drafts) {
    const [value, ...others] = reads;
    const task = update && others.length === 0 && tasks.get(memoryOf(value));
    if (!task || task.update || task.reads.some((read) => memoryOf(read).source)) continue;
    if ([value, task.result].some(({ shape }) => sizeOf(shape) !== sizeOf(result.shape))) continue;
    const lowering = withUpdate(task.lowering, update, value, task.reads.length);
    if (!lowering) continue;
    tasks.set(task.result, {
      ...task,
      reads: [...task.reads, update.source],
      lowering,
      flops: task.flops + flops,
    });
    tasks.delete(result);
  }
  return [...tasks.values()];
}

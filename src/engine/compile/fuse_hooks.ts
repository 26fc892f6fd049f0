import { sizeOf } from "../../util/shape.ts";
import type { Dispatch, Lowering, Operand } from "../gpu/kernel.ts";
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

/** An element-wise formula whose result takes the place of `source`, one of its reads. */
export interface Update {
  readonly fusion: Fusion;
  readonly source: Tensor;
}

/** A task before kernels are joined; `fusion` where it is element-wise, `update` where it also overwrites what it reads. */
export interface Draft extends Task {
  readonly fusion?: Fusion;
  readonly update?: Update;
}

/** WebGPU's default of storage buffers a stage. */
const MAX_BINDINGS = 8;

/** What a kernel does with each result before it writes it: nothing, unless the compiler gives the function a body. */
export const EPILOGUE = /^fn epilogue\(at: u32, value: (f32|vec4f)\) -> \1 \{ return value; \}$/m;

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
    slot: (k) => last.operands.length + k,
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
  const { dispatches, scratchBytes } = lowering;
  return { lowering: { dispatches: [...dispatches.slice(0, -1), dispatch], scratchBytes }, reads };
}

/** How a kernel reads an operand of which it reads each element about once, by the operand's binding. */
const inputHook = (binding: number) =>
  new RegExp(`^fn input${binding}\\(at: u32\\) -> (f32|vec4f) \\{ return (\\w+)\\[at\\]; \\}$`, "m");

/**
 * A lowering that computes the fusion where it reads its input `k`: the binding of that input takes the fusion's first
 * read, the others follow the lowering's `inputs`. Null where it reads the input elsewhere, or cannot bind so much.
 */
function withInput(
  lowering: Lowering,
  fusion: Fusion,
  k: number,
  inputs: number,
): { lowering: Lowering; reads: readonly Tensor[] } | null {
  const isInput = (operand: Operand) =>
    typeof operand === "object" && "input" in operand && operand.input === k;
  const readers = lowering.dispatches.filter(({ operands }) => operands.some(isInput));
  const [reader] = readers;
  if (!reader) return null;
  const slot = reader.operands.findIndex(isInput);
  const hook = inputHook(slot).exec(reader.source);
  if (!hook || readers.length > 1 || reader.operands.filter(isInput).length > 1) return null;
  const [line, type, array] = hook;
  const width: Width = type === "vec4f" ? 4 : 1;
  const bound = reader.operands.length + fusion.reads.length - 1;
  if (fusion.reads.length === 0 || bound > MAX_BINDINGS || (width === 4 && !isVector(fusion))) return null;
  const { bindings, statements, result, reads } = emitBody(fusion, width, {
    at: "at",
    prefix: "before",
    slot: (j) => j === 0 ? slot : reader.operands.length + j - 1,
  });
  const body = `${bindings.join("\n")}
fn input${slot}(at: u32) -> ${type} {
  ${statements.join("\n  ")}
  return ${result};
}`;
  const declared = new RegExp(`^@group\\(0\\) @binding\\(${slot}\\) var<storage, read> ${array}: .*\n`, "m");
  const dispatch: Dispatch = {
    ...reader,
    name: reader.name.replace(/\+|$/, (end) => `(${labelOf(fusion)})${end}`),
    source: reader.source.replace(declared, "").replace(line, () => body),
    operands: [...reader.operands, ...reads.slice(1).map((_, j) => ({ input: inputs + j }))],
  };
  const dispatches = lowering.dispatches.map((other) => other === reader ? dispatch : other);
  return { lowering: { ...lowering, dispatches }, reads };
}

/** Whether a tensor, or a view between it and its memory, must be in memory. */
function isMaterialised(tensor: Tensor): boolean {
  return tensor.materialised || (tensor.op?.lower === "view" && isMaterialised(tensor.inputs[0]));
}

/** Which tasks read a tensor's memory. */
function readersOf(drafts: readonly Draft[]): Map<Tensor, Set<Draft>> {
  const readers = new Map<Tensor, Set<Draft>>();
  for (const draft of drafts) {
    for (const memory of draft.reads.map(memoryOf)) {
      readers.set(memory, (readers.get(memory) ?? new Set()).add(draft));
    }
  }
  return readers;
}

/**
 * Joins each element-wise task to a kernel of which it is the only reader, where that kernel has a hook for it: of several
 * such kernels, to the last. The joined task runs where the element-wise one did, when all that it reads is there. Views
 * between the two change nothing: they keep the order of the elements.
 */
function joinEpilogues(drafts: readonly Draft[], kept: ReadonlySet<Tensor>): Draft[] {
  const readers = readersOf(drafts);
  const producers = new Map<Tensor, Draft>();
  const tasks = new Map<Draft, Draft>();
  for (const draft of drafts) {
    let task = draft;
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

/** Joins element-wise tasks that are left to the one kernel that reads them, where that has a hook for its input. */
function joinInputs(drafts: readonly Draft[], kept: ReadonlySet<Tensor>): Draft[] {
  const readers = readersOf(drafts);
  const tasks = new Map(drafts.map((draft) => [draft.result, draft]));
  for (const { fusion, result, flops } of drafts) {
    const [reader, ...others] = readers.get(result) ?? [];
    if (!fusion || !reader || others.length > 0 || kept.has(result)) continue;
    const task = tasks.get(reader.result)!;
    const k = task.reads.findIndex((read) => memoryOf(read) === result);
    const read = task.reads[k];
    if (task.fusion || isMaterialised(read) || sizeOf(read.shape) !== sizeOf(result.shape)) continue;
    if (task.reads.filter((other) => memoryOf(other) === result).length > 1) continue;
    const joined = withInput(task.lowering, fusion, k, task.reads.length);
    if (!joined) continue;
    const [first, ...rest] = joined.reads;
    tasks.set(reader.result, {
      ...task,
      reads: [...task.reads.with(k, first), ...rest],
      lowering: joined.lowering,
      flops: task.flops + flops,
    });
    tasks.delete(result);
  }
  return [...tasks.values()];
}

/** Joins element-wise tasks to the kernels whose results they read, or else to the kernel that reads theirs. */
export function joinTasks(drafts: readonly Draft[], kept: ReadonlySet<Tensor>): Draft[] {
  return joinInputs(joinEpilogues(drafts, kept), kept);
}

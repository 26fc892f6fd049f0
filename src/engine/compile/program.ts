import { formatShape, sizeOf } from "../../util/shape.ts";
import { inTurns } from "../../util/turns.ts";
import { broadcastTo } from "../ops/reduce.ts";
import { alignUp, type BufferView } from "../gpu/allocator.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Pipeline } from "../gpu/pipeline_cache.ts";
import { bindTo, type BoundDispatch } from "../gpu/recorder.ts";
import { materialise, type Source, type Tensor } from "../graph/tensor.ts";
import { memoryOf, offsetOf, reachable } from "../graph/trace.ts";
import { joinGradients } from "./joined_gradients.ts";
import { joinSums } from "./fuse_sums.ts";
import { writesInPlace } from "./parts.ts";
import { updatesInPlace } from "./updates.ts";
import { type Interval, planMemory } from "./memory.ts";
import type { Task } from "./fuse_hooks.ts";
import { bytesOf, type ChooseVariant, firstFit, scheduling } from "./schedule.ts";
import { type Halves, NO_HALVES, type Precision, requireHalves, storedAsHalves } from "./storage.ts";
import { StepBuffer } from "./step_buffer.ts";

/** A tensor to be computed into memory of the caller. */
export interface Write {
  /** What is to be computed. */
  readonly tensor: Tensor;
  /** Where to; as large as the tensor. */
  readonly into: BufferView;
}

/** What is to be compiled. */
export interface ProgramSpec {
  /** Starts the names of buffers, as errors and profiles print them. */
  readonly label: string;
  /** Tensors to be computed into memory of the caller (gradients, running statistics). */
  readonly writes?: readonly Write[];
  /** Tensors kept in memory of the program, by name. */
  readonly outputs?: Readonly<Record<string, Tensor>>;
  /** Step values that are not in the graph: what kernels beside it read (the optimiser's group table). */
  readonly stepInputs?: readonly Tensor[];
  /** Memory of parameters and residents. */
  memory(source: Source): BufferView;
  /** Picks the kernel of each op. Default: the first that fits. */
  readonly choose?: ChooseVariant;
  /** Default fp32. */
  readonly precision?: Precision;
}

/** A tensor that dispatches leave in memory. */
export interface Result {
  /** What was computed. */
  readonly tensor: Tensor;
  /** Where it is. */
  readonly place: BufferView;
  /** Number of dispatches up to the one that completes it. */
  readonly after: number;
}

/** A graph compiled for one device: a flat list of dispatches to replay. */
export interface Program {
  /** Of the specification. */
  readonly label: string;
  /** In order; `replay` runs them. */
  readonly dispatches: readonly BoundDispatch[];
  /** What is in memory after how many of the dispatches, in order; some of it until a later one has that memory. */
  readonly results: readonly Result[];
  /** Where the specification's outputs are, by name. */
  readonly outputs: Readonly<Record<string, BufferView>>;
  /** The small values that are new each step. */
  readonly step: StepBuffer;
  /** Multiplications and additions of one run. */
  readonly flops: number;
  /** Bytes of intermediates, outputs and step values. */
  readonly bytes: number;
  /** Buffers of intermediates and outputs: nothing in them outlives a run. */
  readonly owned: readonly BufferView[];
  /** Frees `owned` and the step values; what the caller brought stays. */
  destroy(): void;
}

/** Where a task's operands lie. */
type Placement = (tensor: Tensor) => BufferView;

/** What a program will compute, before it has any memory. */
interface Plan {
  readonly writes: readonly Write[];
  readonly roots: readonly Tensor[];
  readonly halves: Halves;
  readonly tasks: readonly Task[];
}

function* planning(gpu: Gpu, spec: ProgramSpec): Generator<void, Plan> {
  const outputs = Object.values(spec.outputs ?? {});
  const wanted = joinGradients(spec.writes ?? [], outputs, gpu.traits);
  yield;
  const updates = updatesInPlace(wanted, outputs, spec.memory);
  yield;
  const writes = separateWrites(wanted, outputs, spec.memory, updates);
  yield;
  const roots = [...writes.map((w) => w.tensor), ...outputs];
  const halves = halvesOf(gpu, spec, writes, roots);
  yield;
  const tasks = yield* scheduling(roots, gpu.traits, spec.choose ?? firstFit, halves, updates);
  return { writes, roots, halves, tasks };
}

/**
 * Compiles a graph: fuses, plans memory, picks kernels, builds pipelines and bind groups. Kernels compile side by
 * side where the device can; all that this thread does is done in slices, so that a training loop goes on meanwhile.
 *
 * @throws {GpuError} if a buffer is too large, a kernel does not compile, or the device has no f16 for mixed precision.
 */
export async function compile(gpu: Gpu, spec: ProgramSpec): Promise<Program> {
  const outputs = spec.outputs ?? {};
  const { writes, roots, halves, tasks: planned } = await inTurns(planning(gpu, spec));
  const step = new StepBuffer(gpu, spec.label, [...sourcesOf(roots, "step"), ...spec.stepInputs ?? []]);
  const owned: BufferView[] = [];
  const own = (name: string, bytes: number) => {
    const view = gpu.allocator.storage(`${spec.label}/${name}`, bytes);
    owned.push(view);
    return view;
  };
  const destroy = () => {
    for (const view of owned) gpu.allocator.free(view);
    step.destroy();
  };
  try {
    const fixed = new Map<Tensor, BufferView>(writes.map((w) => [memoryOf(w.tensor), w.into]));
    for (const [name, tensor] of Object.entries(outputs)) {
      const memory = memoryOf(tensor);
      if (memory.op && !fixed.has(memory)) fixed.set(memory, own(name, bytesOf(memory)));
    }
    const tasks = joinSums(planned, fixed);
    const intermediates = placeIntermediates(tasks, fixed, halves, own);
    const placeSource = (source: Source) =>
      source.kind === "step" ? step.view(source.name) : spec.memory(source);
    const placeMemory: Placement = (memory) =>
      memory.source
        ? { ...placeSource(memory.source), size: alignUp(bytesOf(memory, halves), 16) }
        : fixed.get(memory) ?? intermediates.views.get(memory)!;
    const place: Placement = (tensor) => {
      const memory = memoryOf(tensor), view = placeMemory(memory);
      if (sizeOf(tensor.shape) === sizeOf(memory.shape)) return view;
      const bytes = view.stored === "f16" ? 2 : 4;
      return {
        ...view,
        offset: view.offset + bytes * offsetOf(tensor),
        size: alignUp(bytes * sizeOf(tensor.shape), 16),
      };
    };
    const pipelines = await pipelinesOf(gpu, tasks, halves);
    const dispatches = await inTurns(bindTasks(gpu, tasks, pipelines, place, intermediates.scratch));
    let after = 0;
    return {
      label: spec.label,
      dispatches,
      results: tasks.map(({ lowering, result }) => {
        after += lowering.dispatches.length;
        return { tensor: result, place: place(result), after };
      }),
      outputs: Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, place(tensor)])),
      step,
      flops: tasks.reduce((total, task) => total + task.flops, 0),
      bytes: owned.reduce((total, view) => total + view.size, step.bytes),
      owned,
      destroy,
    };
  } catch (error) {
    destroy();
    throw error;
  }
}

/** What a program stores as halves, and what of the caller's memory holds halves. */
function halvesOf(
  gpu: Gpu,
  { precision, label, memory }: ProgramSpec,
  writes: readonly Write[],
  roots: readonly Tensor[],
): Halves {
  const order = reachable(roots);
  const given = [
    ...order.filter(({ source }) => source && source.kind !== "step" && memory(source).stored === "f16"),
    ...writes.filter(({ into }) => into.stored === "f16").map(({ tensor }) => memoryOf(tensor)),
  ];
  if (precision !== "mixed" && given.length === 0) return NO_HALVES;
  requireHalves(gpu, `program "${label}"`);
  const own = precision === "mixed" ? storedAsHalves(order, new Set(roots.map(memoryOf))) : NO_HALVES;
  return new Set([...own, ...given]);
}

/** The pipelines of each task's dispatches. */
async function pipelinesOf(gpu: Gpu, tasks: readonly Task[], halves: Halves): Promise<Pipeline[][]> {
  const asking = await inTurns(requests(gpu, tasks, halves));
  // Where one fails, the buffers of the others are still wanted until they have ended.
  await Promise.allSettled(asking.flat());
  const pipelines = await Promise.all(asking.map((of) => Promise.all(of)));
  gpu.check();
  return pipelines;
}

function* requests(gpu: Gpu, tasks: readonly Task[], halves: Halves): Generator<void, Promise<Pipeline>[][]> {
  const asking: Promise<Pipeline>[][] = [];
  for (const { lowering, reads, result } of tasks) {
    asking.push(lowering.dispatches.map((dispatch) => {
      const stored = dispatch.operands.map((operand) =>
        operand === "output"
          ? halves.has(result)
          : "input" in operand && halves.has(memoryOf(reads[operand.input]))
      );
      const pipeline = gpu.pipelines.get(dispatch, stored);
      pipeline.catch(() => {});
      return pipeline;
    }));
    yield;
  }
  return asking;
}

function* bindTasks(
  gpu: Gpu,
  tasks: readonly Task[],
  pipelines: readonly (readonly Pipeline[])[],
  place: Placement,
  scratch: readonly (readonly BufferView[])[],
): Generator<void, BoundDispatch[]> {
  const bound: BoundDispatch[] = [];
  for (const [at, task] of tasks.entries()) {
    bound.push(...bindTask(gpu, task, pipelines[at], task.reads.map(place), place(task.result), scratch[at]));
    yield;
  }
  gpu.check();
  return bound;
}

/** Binds the dispatches of one task to its operands. Its FLOPs are those of the dispatch that moves the most. */
function bindTask(
  gpu: Gpu,
  task: Task,
  pipelines: readonly Pipeline[],
  reads: readonly BufferView[],
  result: BufferView,
  scratch: readonly BufferView[],
): BoundDispatch[] {
  const { dispatches } = task.lowering;
  const views = dispatches.map(({ operands }) =>
    operands.map((operand) =>
      operand === "output" ? result : "input" in operand ? reads[operand.input] : scratch[operand.scratch]
    )
  );
  // Of what the caller keeps (a data set) a kernel picks what its result needs.
  const traffic = dispatches.map(({ operands }, k) =>
    operands.reduce((total, operand, j) => {
      const { size } = views[k][j];
      const picked = operand !== "output" && "input" in operand &&
        task.reads[operand.input].source?.kind === "resident";
      return total + (picked ? Math.min(size, result.size) : size);
    }, 0)
  );
  const main = traffic.indexOf(Math.max(...traffic));
  const what = describe(task);
  return dispatches.map((dispatch, k) => {
    const work = { what, flops: k === main ? task.flops : 0, bytes: traffic[k] };
    return bindTo(gpu, pipelines[k], dispatch, views[k], work);
  });
}

/** `conv2d [8, 32, 32, 3] [3, 3, 3, 16] -> [8, 32, 32, 16]`. */
function describe({ reads, result }: Task): string {
  const operands = reads.map(({ shape }) => formatShape(shape)).join(" ");
  return `${result.op!.name} ${operands} -> ${formatShape(result.shape)}`;
}

/**
 * Copied to where the caller wants it: a tensor that others read too, or that is written twice, or whose place is in a
 * buffer that the graph also reads, which no kernel may bind for both. Parts of one tensor may be there without a copy,
 * and so may what updates its own source.
 */
function separateWrites(
  writes: readonly Write[],
  outputs: readonly Tensor[],
  memory: ProgramSpec["memory"],
  updates: ReadonlyMap<Tensor, Tensor>,
): Write[] {
  const used = new Set(outputs.map(memoryOf));
  const read = new Set<GPUBuffer>();
  for (const node of reachable([...writes.map((w) => w.tensor), ...outputs])) {
    if (node.source && node.source.kind !== "step") read.add(memory(node.source).buffer);
    if (node.op?.lower !== "view") { for (const input of node.inputs) used.add(memoryOf(input)); }
  }
  const wholes = writesInPlace(writes, outputs, (view) => !read.has(view.buffer));
  return writes.map((write) => {
    const root = memoryOf(write.tensor);
    const whole = wholes.get(root);
    if (whole) return { ...write, into: whole };
    const free = !read.has(write.into.buffer) || updates.has(write.tensor);
    const exclusive = root.op !== null && !used.has(root) && free &&
      sizeOf(root.shape) === sizeOf(write.tensor.shape);
    used.add(root);
    return exclusive
      ? write
      : { ...write, tensor: broadcastTo(materialise(write.tensor), write.tensor.shape) };
  });
}

function sourcesOf(roots: readonly Tensor[], kind: Source["kind"]): Tensor[] {
  return reachable(roots).filter((tensor) => tensor.source?.kind === kind);
}

/** Colours intermediates and scratch onto as few buffers as their lifetimes allow. */
function placeIntermediates(
  tasks: readonly Task[],
  fixed: ReadonlyMap<Tensor, BufferView>,
  halves: Halves,
  own: (name: string, bytes: number) => BufferView,
): { views: Map<Tensor, BufferView>; scratch: BufferView[][] } {
  const lastUse = new Map<Tensor, number>();
  for (const [at, task] of tasks.entries()) {
    for (const read of task.reads) lastUse.set(memoryOf(read), at);
  }
  const intervals: Interval[] = [];
  const keys: { result?: Tensor; task: number }[] = [];
  for (const [at, task] of tasks.entries()) {
    if (!fixed.has(task.result)) {
      const bytes = bytesOf(task.result, halves);
      intervals.push({ bytes, first: at, last: lastUse.get(task.result) ?? at });
      keys.push({ result: task.result, task: at });
    }
    for (const bytes of task.lowering.scratchBytes) {
      intervals.push({ bytes, first: at, last: at });
      keys.push({ task: at });
    }
  }
  const plan = planMemory(intervals);
  const buffers = plan.slotBytes.map((bytes, slot) => own(`slot ${slot}`, bytes));
  const views = new Map<Tensor, BufferView>();
  const scratch: BufferView[][] = tasks.map(() => []);
  for (const [k, { result, task }] of keys.entries()) {
    const view = { ...buffers[plan.slots[k]], size: alignUp(intervals[k].bytes, 16) };
    if (result) views.set(result, halves.has(result) ? { ...view, stored: "f16" } : view);
    else scratch[task].push(view);
  }
  return { views, scratch };
}

import { sizeOf } from "../../util/shape.ts";
import type { BufferView } from "../gpu/allocator.ts";
import { type Dispatch, type PartSum, single, workgroupsFor } from "../gpu/kernel.ts";
import { Tensor } from "../graph/tensor.ts";
import { memoryOf } from "../graph/trace.ts";
import type { Task } from "./fuse_hooks.ts";

/** WebGPU's default of 8 storage buffers a stage, less one for the results. */
const MOST = 7;
/** Bytes of parts that wait to be added up together: memory that is worth some microseconds a dispatch. */
const MOST_BYTES = 4 * 2 ** 20;
/** Invocations of a workgroup. */
const INVOCATIONS = 128;

/** Parts in memory, and where their sums go, in vec4s from the start of the common result. */
interface Sum extends PartSum {
  readonly place: number;
}

/** Adds up several lists of parts, each as `product/sum4` does by itself: the same numbers in the same order. */
function emitSums(sums: readonly Sum[]): Dispatch {
  const groups = sums.map(({ size, lanes }) => Math.ceil(size * lanes / INVOCATIONS));
  const branches = sums.map(({ size, splits, lanes, place }, k) => {
    const width = INVOCATIONS / lanes, each = Math.ceil(splits / lanes);
    const first = groups.slice(0, k).reduce((a, b) => a + b, 0);
    const loads = Array.from({ length: each }, (_, i) => {
      const split = `(${i * lanes}u + lane / ${width}u)`;
      const add = `total += parts${k}[${split} * ${size}u + at];`;
      return (i + 1) * lanes <= splits ? add : `if (${split} < ${splits}u) { ${add} }`;
    });
    const tree = Array.from({ length: Math.log2(lanes) }, (_, step) => {
      const half = width * lanes / 2 ** (step + 1);
      return `workgroupBarrier();
    if (lane < ${half}u) { sums[lane] += sums[lane + ${half}u]; }`;
    });
    return `if (index < ${first + groups[k]}u) {
    let at = (index - ${first}u) * ${width}u + lane % ${width}u;
    var total = vec4f();
    if (at < ${size}u) {
      ${loads.join("\n      ")}
    }
    sums[lane] = total;
    ${tree.join("\n    ")}
    if (lane < ${width}u && at < ${size}u) { result[${place}u + at] = sums[lane]; }
  }`;
  });
  const source = `${
    sums.map((_, k) => `@group(0) @binding(${k}) var<storage, read> parts${k}: array<vec4f>;`).join("\n")
  }
@group(0) @binding(${sums.length}) var<storage, read_write> result: array<vec4f>;
var<workgroup> sums: array<vec4f, ${INVOCATIONS}>;
@compute @workgroup_size(${INVOCATIONS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let index = group.y * groups.x + group.x;
  ${branches.join(" else ")}
}
`;
  return {
    name: "fused/sums",
    source,
    constants: {},
    operands: [...sums.map((_, input) => ({ input })), "output"],
    workgroups: workgroupsFor(groups.reduce((a, b) => a + b), 1),
  };
}

const bytesOf = ({ size, splits }: PartSum) => 16 * size * splits;

/** A task whose last dispatch adds up parts, to a place that the caller gave. */
interface Candidate {
  readonly task: Task;
  readonly sum: PartSum;
  readonly into: BufferView;
}

/** The task without its last dispatch, whose result is the parts. */
function partsOf({ task, sum }: Candidate): Task {
  const { dispatches, scratchBytes } = task.lowering;
  const op = task.result.op!;
  return {
    ...task,
    result: new Tensor(op, { shape: [sum.splits, 4 * sum.size], dtype: "f32" }),
    lowering: {
      dispatches: dispatches.slice(0, -1).map((dispatch) => ({
        ...dispatch,
        operands: dispatch.operands.map((operand) =>
          typeof operand === "object" && "scratch" in operand ? "output" : operand
        ),
      })),
      scratchBytes: scratchBytes.slice(1),
    },
  };
}

/** One task for the last dispatches of several, and where its result lies: from the first of theirs to the last. */
function together(
  candidates: readonly Candidate[],
  parts: readonly Task[],
): { task: Task; place: BufferView } {
  const begin = Math.min(...candidates.map(({ into }) => into.offset));
  const end = Math.max(...candidates.map(({ into, sum }) => into.offset + 16 * sum.size));
  const place = { buffer: candidates[0].into.buffer, offset: begin, size: end - begin };
  const sums = candidates.map(({ sum, into }) => ({ ...sum, place: (into.offset - begin) / 16 }));
  const op = candidates[0].task.result.op!;
  const task = {
    reads: parts.map(({ result }) => result),
    result: new Tensor(op, { shape: [place.size / 4], dtype: "f32" }),
    lowering: single(emitSums(sums)),
    flops: 0,
  };
  return { task, place };
}

/** Cuts a list where a kernel has no more bindings, or parts would take too much memory while they wait for others. */
function groupsOf(candidates: readonly Candidate[]): Candidate[][] {
  const groups: Candidate[][] = [];
  let bytes = Infinity;
  for (const candidate of candidates) {
    const own = bytesOf(candidate.sum);
    bytes += own;
    if (groups.at(-1)?.length === MOST || bytes > MOST_BYTES) {
      groups.push([]);
      bytes = own;
    }
    groups.at(-1)!.push(candidate);
  }
  return groups;
}

/**
 * Joins dispatches that do no more than add up the parts of a result that the caller wants in a buffer (gradients of
 * weights): up to seven of one buffer in one dispatch, which comes after the last of their tasks. `places` are where the
 * caller wants results; where the common ones lie is added.
 */
export function joinSums(tasks: readonly Task[], places: Map<Tensor, BufferView>): Task[] {
  const read = new Set(tasks.flatMap(({ reads }) => reads.map(memoryOf)));
  const candidateOf = (task: Task): Candidate | null => {
    const { sum } = task.lowering, into = places.get(task.result);
    const free = sum && into && into.stored !== "f16" && !read.has(task.result);
    return free && bytesOf(sum) <= MOST_BYTES / 2 && task.lowering.scratchBytes.length === 1 &&
        4 * sum.size === sizeOf(task.result.shape)
      ? { task, sum, into }
      : null;
  };
  const found = tasks.map(candidateOf).filter((candidate) => candidate !== null);
  const joined = new Map<Task, Task[]>();
  for (const inBuffer of Map.groupBy(found, ({ into }) => into.buffer).values()) {
    for (const some of groupsOf(inBuffer)) {
      if (some.length === 1) continue;
      const parts = some.map(partsOf);
      const { task, place } = together(some, parts);
      places.set(task.result, place);
      for (const [k, candidate] of some.entries()) joined.set(candidate.task, [parts[k]]);
      joined.get(some.at(-1)!.task)!.push(task);
    }
  }
  return tasks.flatMap((task) => joined.get(task) ?? [task]);
}

/** What kernels must hold whose operands are stored as f16. Web APIs only: tests and pages share it. */
import { emitFusion } from "../../src/engine/compile/fuse_emit.ts";
import { evaluate, type Feeds } from "../../src/engine/compile/reference.ts";
import { storedCallOf } from "../../src/engine/compile/storage.ts";
import type { BufferView } from "../../src/engine/gpu/allocator.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { type Lowering, single, type Variant } from "../../src/engine/gpu/kernel.ts";
import { read } from "../../src/engine/gpu/readback.ts";
import { bind, replay } from "../../src/engine/gpu/recorder.ts";
import type { Values } from "../../src/engine/graph/op.ts";
import { apply, resident, type Tensor } from "../../src/engine/graph/tensor.ts";
import { opTable } from "../../src/engine/ops/table.ts";
import { sizeOf } from "../../src/util/shape.ts";
import type { OpCase } from "../cases/types.ts";
import type { Choice } from "./case_checks.ts";
import { assertClose } from "./close.ts";
import { fillInput, testRandom } from "./values.ts";

/** Rounding to f16, in multiples of float32's epsilon: half of 2^-10. */
const HALF_ROUNDING = 2 ** 12;
const GUARD = 32;

/**
 * Checks one kernel of a case with all f32 inputs stored as halves, and the result where mixed precision would store it so.
 *
 * @throws {Error} naming case, kernel and worst element.
 */
export async function checkHalves(gpu: Gpu, opCase: OpCase, choice: Choice): Promise<void> {
  const { output, inputs, feeds, halves } = instantiate(opCase);
  if (output.op!.lower === "view") return;
  const got = await run(gpu, lower(output, halves, choice), inputs, feeds, output, halves);
  const { slack = 16, terms = 1 } = opCase;
  const rounding = halves.has(output) ? HALF_ROUNDING : 0;
  const tolerance = { slack: slack * Math.sqrt(terms) + rounding, terms: 1 };
  assertClose(got, evaluate([output], feeds)[0], tolerance, `${opCase.name} (${choice.id} as halves)`);
}

/** The WGSL with which a case is computed, shapes left open. */
export function textOf(opCase: OpCase, choice: Choice): string {
  const { output, halves } = instantiate(opCase);
  if (output.op!.lower === "view") return "";
  return lower(output, halves, choice).dispatches.map(({ source }) => source).join("\n");
}

function lower(output: Tensor, halves: ReadonlySet<Tensor>, { id, traits }: Choice): Lowering {
  const { lower } = output.op!;
  if (!Array.isArray(lower)) {
    return single(emitFusion({ nodes: [output], reads: output.inputs }, traits.software));
  }
  return (lower as readonly Variant[]).find((variant) => variant.id === id)!
    .lower(storedCallOf(output, halves), traits);
}

function instantiate(opCase: OpCase) {
  const op = opTable[opCase.op];
  const random = testRandom(opCase.name);
  const inputs = opCase.inputs.map(({ shape, dtype }, k) => resident(`in${k}`, shape, dtype ?? "f32"));
  const feeds: Feeds = Object.fromEntries(opCase.inputs.map((input, k) => {
    const values = fillInput(input, random);
    return [`in${k}`, input.dtype === "u32" ? values : Array.from(values, Math.f16round)];
  }));
  const output = apply(op, inputs, opCase.attrs ?? {});
  const halfResult = output.dtype === "f32" &&
    ((typeof op.lower === "object" && "wgsl" in op.lower) || /half|inherited/.test(op.storage ?? ""));
  const halves = new Set([...inputs, ...halfResult ? [output] : []].filter(({ dtype }) => dtype === "f32"));
  return { output, inputs, feeds, halves };
}

async function run(
  gpu: Gpu,
  { dispatches, scratchBytes }: Lowering,
  inputs: readonly Tensor[],
  feeds: Feeds,
  output: Tensor,
  halves: ReadonlySet<Tensor>,
): Promise<Values> {
  const place = (tensor: Tensor, bytes: Uint8Array<ArrayBuffer>): BufferView => {
    const view = gpu.allocator.upload("operand", new Uint32Array(bytes.buffer));
    return halves.has(tensor) ? { ...view, stored: "f16" } : view;
  };
  const views = inputs.map((tensor, k) => place(tensor, bytesOf(tensor, feeds[`in${k}`], halves)));
  const size = sizeOf(output.shape);
  const before = bytesOf(output, new Array(size + GUARD).fill(NaN), halves);
  const result = place(output, before);
  const scratch = scratchBytes.map((bytes) => gpu.allocator.storage("scratch", bytes));
  for (const dispatch of dispatches) {
    const operands = dispatch.operands.map((operand) =>
      operand === "output" ? result : "input" in operand ? views[operand.input] : scratch[operand.scratch]
    );
    replay(gpu, [await bind(gpu, dispatch, operands)]);
  }
  const bytes = await read(gpu, result, before.length);
  for (const view of [...views, result, ...scratch]) gpu.allocator.free(view);
  const numbers = output.dtype === "u32"
    ? new Uint32Array(bytes)
    : halves.has(output)
    ? Float64Array.from(new Float16Array(bytes))
    : new Float32Array(bytes);
  const end = Math.ceil(size / 8) * 8;
  if (output.dtype === "f32" && !numbers.subarray(end, size + GUARD).every(Number.isNaN)) {
    throw new Error(`${output}: a kernel wrote past the end of its result`);
  }
  return numbers.subarray(0, size);
}

/** Numbers as a tensor's buffer holds them, in whole words. */
function bytesOf(
  tensor: Tensor,
  values: ArrayLike<number>,
  halves: ReadonlySet<Tensor>,
): Uint8Array<ArrayBuffer> {
  const array = tensor.dtype === "u32"
    ? Uint32Array.from(values)
    : halves.has(tensor)
    ? Float16Array.from(values)
    : Float32Array.from(values);
  const bytes = new Uint8Array(Math.ceil(array.byteLength / 16) * 16);
  bytes.set(new Uint8Array(array.buffer));
  return bytes;
}
